"""Which device each rank computes on: decided by all together, before anything is allocated."""

from __future__ import annotations

from epmpi.config import ConfigError
from epmpi.devices import Device, choose, gpus, tell_of_compiling
from epmpi.parallel import Communicator
from epmpi.telling import say


def place(name: str, communicator: Communicator) -> Device:
    """Return the device of this rank, whose compiling the root tells of.  Collective.

    The ranks of a node take its GPUs in turn; with fewer GPUs than ranks, some share one.

    Parameters
    ----------
    name : str
        "cpu"; "gpu"; or "auto", a GPU where every rank finds one.

    Raises
    ------
    ConfigError
        On all ranks, if "gpu" is asked for and a rank finds none.
    """
    if communicator.is_root:
        tell_of_compiling(lambda text: say(f"epmpi: {text}"))
    if name == "cpu":
        return choose("cpu")
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
        return choose("cpu")
    return choose("gpu", communicator.rank_on_node() % number)


def check_memory(needed: int, device: Device, communicator: Communicator) -> None:
    """Raise ConfigError on all ranks if one's GPU has not the memory for its arrays.  Collective.

    Ranks that share a GPU share its memory.

    Parameters
    ----------
    needed : int
        Bytes of this rank.
    """
    identity, available = device.identity(), device.free_bytes()
    everyone = communicator.broadcast(communicator.gather((identity, needed)))
    error = None
    if available is not None:
        total = sum(bytes_ for card, bytes_ in everyone if card == identity)
        if total > available:
            error = ConfigError(
                f"{device.describe()} has {available} bytes free, {total} are needed: use more "
                "GPUs, single precision or a smaller lattice"
            )
    communicator.raise_alike(error)
