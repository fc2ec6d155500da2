"""Provenance of a run: versions, revision, machine, command; stored with its results."""

from __future__ import annotations

import getpass
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from epmpi import __version__
from epmpi.config import Configuration
from epmpi.parallel import Communicator, library
from epmpi.trust import readable

VERSIONS = (
    "epmpi_version", "git_revision", "numpy_version", "h5py_version", "hdf5_version", "arithmetic",
)  # fmt: skip
LAST_BITS = (
    "the last bits may be others than on one kind of processor with one version, and single events "
    "with them; averages are not affected"
)
BUILT_FROM = Path(__file__).parents[1] / "revision.txt"  # in a wheel only


def collect(
    configuration: Configuration, communicator: Communicator, device: str, fft: str
) -> dict[str, Any]:
    """Return the provenance of a run at its start; complete on the root.

    Parameters
    ----------
    device, fft : str
        The choice where the configuration says "auto".
    """
    return {
        "epmpi_version": __version__,
        "git_revision": git_revision() if communicator.is_root else "",  # a process a rank saved
        "python_version": platform.python_version(),
        "numpy_version": np.__version__,
        "h5py_version": h5py.__version__,
        "hdf5_version": h5py.version.hdf5_version,
        "mpi_library": library(),
        "machine": f"{platform.node()} ({platform.machine()}, {platform.system()})",
        "device": device,
        "fft": fft,
        "ranks": communicator.size,
        "precision": configuration.run.precision,
        "seed": configuration.run.seed,
        "command": readable(shlex.join(sys.argv)),
        "started": now(),
    }


def other_bits(before: Mapping[str, str], known: Mapping[str, Any]) -> str:
    """Return a warning that a resumed run may have other bits than without the stop, or ''."""
    changes = [
        f"{word} {before[name]} -> {known[name]}"
        for name, word in (("epmpi_version", "epmpi"), ("arithmetic", "arithmetic"))
        if before.get(name) and before[name] != known[name]
    ]
    return f"{'; '.join(changes)}: {LAST_BITS}" if changes else ""


def mixed_bits(kinds: Sequence[str]) -> str:
    """Return a warning that the ranks have several kinds of arithmetic, or ''."""
    counts = [f"{kinds.count(kind)} rank(s) with {kind}" for kind in dict.fromkeys(kinds)]
    return f"{'; '.join(counts)}: {LAST_BITS}" if len(counts) > 1 else ""


def now() -> str:
    """Return the date and time as ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def author() -> str:
    """Return the name of the user, which H5MD requires."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return "unknown"


def git_revision(file: Path = Path(__file__)) -> str:
    """Return the commit of the running source, with "-dirty" if it has been changed since.

    Returns
    -------
    str
        Where `file` is in no commit (perhaps inside another repository): the revision that the
        wheel was built from (`hatch_build.py`), or "unknown".
    """
    try:
        _git(file, "ls-files", "--error-unmatch", file.name)
        changed = _git(file, "status", "--porcelain", "--untracked-files=no")
        return _git(file, "rev-parse", "HEAD") + ("-dirty" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return BUILT_FROM.read_text(encoding="utf-8").strip() if BUILT_FROM.exists() else "unknown"


def _git(file: Path, *arguments: str) -> str:
    command = ["git", "-C", str(file.parent), *arguments]
    done = subprocess.run(command, capture_output=True, check=True, timeout=10)
    return done.stdout.decode("utf-8", "replace").strip()
