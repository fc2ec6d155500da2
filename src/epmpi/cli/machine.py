"""epmpi info, --version: the capabilities of this machine, and the version of the code."""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Collection
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import h5py
import numpy as np

import epmpi
from epmpi.cli.words import closing
from epmpi.config import FFT_ENGINES, from_mapping
from epmpi.host.processor import processor_name
from epmpi.output.provenance import git_revision
from epmpi.parallel import Communicator, library, wires


class Version(argparse.Action):
    """The option --version, which prints version and git revision."""

    def __init__(self, option_strings: list[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *ignored: Any) -> None:
        """Print one line and exit."""
        print(f"epmpi {epmpi.__version__} (git revision {git_revision()})")
        parser.exit()


def add_commands(commands: Any) -> None:
    """Add the parsers of these commands."""
    info = commands.add_parser("info", help="what this machine offers: MPI, GPUs, HDF5, FFTs")
    info.add_argument(
        "--compile",
        action="store_true",
        help="compile the code that runs need, so that the first one starts at once",
    )
    info.set_defaults(command=_info, prints=True)


def _info(chosen: argparse.Namespace, communicator: Communicator) -> int:
    from epmpi.devices import choose
    from epmpi.parallel.placement import find
    from epmpi.spectral.transport import Offer, agree, offer

    kind, number = find("auto", communicator)
    name, mine = processor_name(), Offer()
    if kind == "gpu":  # only then is a compiler loaded
        device = choose(kind, number)
        name, mine = device.describe(), offer(device)
    exchange = agree(communicator, mine)
    ranks = communicator.gather((platform.node(), name))
    if ranks is not None:
        _tell_machine(ranks, kind, exchange)
    if chosen.compile:
        _compile(communicator)
    if ranks is not None:
        print(closing([], ["run", "CONFIG.toml"]))
    return 0


def _tell_machine(ranks: list[tuple[str, str]], kind: str, exchange: str) -> None:
    """Print the capabilities of the machine, one line each."""
    from epmpi.devices import gpus

    hosts, names = zip(*ranks, strict=True)
    parallel_hdf5 = "yes" if h5py.get_config().mpi else "no: slabs stream to one rank"
    rows = [
        ("epmpi", epmpi.__version__),
        (
            "python",
            f"{platform.python_version()}, numpy {np.__version__}, numba {version('numba')}",
        ),
        ("processor", f"{os.cpu_count()} cores, {platform.machine()}"),
        ("MPI", f"{library()}, {len(ranks)} rank(s) on {len(set(hosts))} host(s)"),
        (
            "HDF5",
            f"{h5py.version.hdf5_version}, h5py {h5py.__version__}, parallel: {parallel_hdf5}",
        ),
        ("device", f"{kind}: {', '.join(sorted(set(names)))}"),
        ("GPU", gpus()[1] or f"{gpus()[0]} seen by the first rank"),
        ("exchange", exchange + between(set(hosts))),
        ("FFT engines", ", ".join(_engines())),
    ]
    for name, value in rows:
        print(f"{name:<12} {value}")


def between(hosts: Collection[str]) -> str:
    """Return the transport of messages between hosts, if there are several."""
    return f"; messages by {', '.join(wires())}" if len(hosts) > 1 else ""


def _engines() -> list[str]:
    """Return the engines of the Fourier transform, with a note on those not installed."""
    installed = find_spec("mpi4py_fft") is not None
    lacking = "" if installed else " (not installed)"
    return [name + lacking if name == "mpi4py-fft" else name for name in FFT_ENGINES]


def _compile(communicator: Communicator) -> None:
    """Take two steps of small models of each kind; print where their code is.  Collective."""
    from epmpi.devices import code_folder
    from epmpi.model.model import Model

    start = time.monotonic()
    side = max(32, 1 << (2 * communicator.size - 1).bit_length())  # a row and a column a rank
    for precision in ("double", "single"):
        mapping: dict[str, dict[str, Any]] = {
            "lattice": {"shape": [side, side]},
            "run": {"precision": precision, "device": "cpu"},
            "initial": {"state": "gaussian", "stress_deviation": 0.1},
        }
        ways = [("steps", 1), ("steps", 2)] + [("exact", 1)] * (precision == "double")
        for clock, every in ways:
            mapping["tracers"], mapping["time"] = {"every": every}, {"clock": clock}
            model = Model(from_mapping(mapping), communicator)
            model.step()
            model.step()
            model.observables()
    if communicator.is_root:
        took = time.monotonic() - start
        print(f"{'compiled':<12} in {took:.0f} s; the code is in {code_folder()}")
