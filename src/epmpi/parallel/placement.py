"""Devices of the ranks, chosen by all ranks together before anything is allocated."""

from __future__ import annotations

import platform

from epmpi.config import ConfigError
from epmpi.devices import Device, choose, gpus, tell_of_compiling
from epmpi.host.console import say
from epmpi.host.host_memory import free_memory, in_bytes
from epmpi.parallel import Communicator

PROGRAM = 64 * 2**20  # bytes of modules, compiled code and buffers that come after the check


def place(name: str, communicator: Communicator) -> Device:
    """Return the device of this rank; the root reports compilation.  Collective.

    Parameters
    ----------
    name : str
        As of `find`.

    Raises
    ------
    ConfigError
        As of `find`; and on all ranks, if kernels for the GPU of one cannot be compiled.
    """
    if communicator.is_root:
        tell_of_compiling(lambda text: say(f"epmpi: {text}"))
    chosen, error = find(name, communicator), None
    try:
        device = choose(*chosen)
    except ConfigError as refused:
        error = refused
    communicator.raise_alike(error)
    return device


def find(name: str, communicator: Communicator) -> tuple[str, int]:
    """Return the kind of the device of this rank, "cpu" or "gpu", and its number.  Collective.

    The ranks of a node take its GPUs in turn; with fewer GPUs than ranks, some share one.

    Parameters
    ----------
    name : str
        "cpu"; "gpu"; or "auto", a GPU where every rank finds one.

    Raises
    ------
    ConfigError
        On all ranks, if "gpu" is requested and a rank finds none.
    """
    if name == "cpu":
        return "cpu", 0
    number, why = gpus()
    everywhere = communicator.max(number == 0) == 0
    if name == "gpu":
        communicator.raise_alike(
            None
            if number
            else ConfigError(
                f'run.device = "gpu": rank {communicator.rank} has none ({why}); '
                'set run.device = "cpu"'
            )
        )
    if not everywhere:
        return "cpu", 0
    return "gpu", communicator.rank_on_node() % number


def check_memory(needed: int, device: Device, communicator: Communicator) -> None:
    """Raise ConfigError on all ranks if one lacks the memory for its arrays.  Collective.

    Ranks that share a GPU, or a node, share its memory.  Of memory that ranks of a node share each
    counts its part; modules and compiled code that are still to be loaded take more.

    Parameters
    ----------
    needed : int
        Bytes of this rank.
    """
    card, node, error = device.identity(), platform.node(), None
    everyone = communicator.gather_all((card or node, needed))
    shares = [bytes_ for place, bytes_ in everyone if place == (card or node)]
    together = sum(shares)
    if card is not None:
        available = device.free_bytes()
        if available is not None and together > available:
            error = ConfigError(
                f"{device.describe()} has {available} bytes free, {together} are needed: use more "
                "GPUs, single precision or a smaller lattice"
            )
    elif (free := free_memory()) is not None:
        together += PROGRAM * len(shares)
        if together > free[0]:
            error = ConfigError(
                f"{node} has {in_bytes(free[0])} of memory free ({free[1]}), {in_bytes(together)} "
                f"are needed for {len(shares)} rank(s): use more nodes, a higher limit, single "
                "precision or a smaller lattice"
            )
    communicator.raise_alike(error)
