"""epmpi info, --version: what this machine offers, and which code runs."""

from __future__ import annotations

import argparse
import os
import platform
from importlib.metadata import version
from typing import Any

import h5py
import numpy as np

import epmpi
from epmpi.config import FFT_ENGINES
from epmpi.output.provenance import git_revision
from epmpi.parallel import Communicator, library


class Version(argparse.Action):
    """The option that tells version and git revision; git is asked only when it is given."""

    def __init__(self, option_strings: list[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *ignored: Any) -> None:
        """Print one line and exit."""
        print(f"epmpi {epmpi.__version__} (git revision {git_revision()})")
        parser.exit()


def add_commands(commands: Any) -> None:
    """Add the parsers of these commands."""
    info = commands.add_parser("info", help="what this machine offers: MPI, GPUs, HDF5, FFTs")
    info.set_defaults(command=_info)


def _info(chosen: argparse.Namespace, communicator: Communicator) -> int:
    # Imported here: the other commands of this file need no compiler.
    from epmpi.devices import gpus
    from epmpi.placement import place
    from epmpi.spectral.transport import agree

    device = place("auto", communicator)
    exchange = agree(communicator, device)
    ranks = communicator.gather((platform.node(), device.describe()))
    if ranks is None:
        return 0
    hosts, names = zip(*ranks, strict=True)
    parallel_hdf5 = "yes" if h5py.get_config().mpi else "no: slabs stream to one rank"
    rows = [
        ("epmpi", epmpi.__version__),
        (
            "python",
            f"{platform.python_version()}, numpy {np.__version__}, numba {version('numba')}",
        ),
        ("processor", f"{os.cpu_count()} cores, {platform.machine()}"),
        ("MPI", f"{library()}, {communicator.size} rank(s) on {len(set(hosts))} host(s)"),
        (
            "HDF5",
            f"{h5py.version.hdf5_version}, h5py {h5py.__version__}, parallel: {parallel_hdf5}",
        ),
        ("device", f"{device.name}: {', '.join(sorted(set(names)))}"),
        ("GPU", gpus()[1] or f"{gpus()[0]} seen by the first rank"),
        ("exchange", exchange),
        ("FFT engines", ", ".join(FFT_ENGINES)),
        ("cuFFTMp", device.missing_for_cufftmp() or "ready on the first rank"),
    ]
    for name, value in rows:
        print(f"{name:<12} {value}")
    return 0
