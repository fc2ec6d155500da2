"""Existing directories in which a run may begin: empty, or left by a run that was killed at once.

A run has a checkpoint from its first step on, and before it no frames except those of the start.
So a directory without checkpoint and later frames has nothing to lose, and the run can begin again
without anything being removed by hand.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import h5py

from epmpi.config import ENSEMBLE, ConfigError, Configuration, stored_configuration
from epmpi.host.console import say
from epmpi.output.checkpoint import NAME, PREVIOUS
from epmpi.output.failures import output_errors
from epmpi.output.lock import NAME as LOCK
from epmpi.output.segments import LEFT_BEHIND
from epmpi.trust import check_file, one_line, open_file

# Files that a run, or an ensemble, may make before its first checkpoint.
MADE = frozenset(
    {"run.h5", LOCK, *LEFT_BEHIND, f"{PREVIOUS}.partial", f"{ENSEMBLE}.partial"},
)


def may_begin(directory: Path) -> bool:
    """Tell whether an existing directory holds only leftovers of a run that had not begun.

    Any other file in it, such as one of the user, must be left alone.
    """
    try:
        names = set(os.listdir(directory))
    except OSError:
        return False
    return names <= MADE and longest_series(directory) < 2


def has_begun(directory: Path) -> bool:
    """Tell whether a directory holds a run that can be continued."""
    return any((directory / name).exists() for name in (NAME, PREVIOUS)) or (
        longest_series(directory) > 1
    )


def why_not(path: Path) -> str:
    """Return why no run can begin at a path that exists, and what to do."""
    try:
        others = sorted(set(os.listdir(path)) - MADE)
    except NotADirectoryError:
        return f"{path} exists, and is no directory: choose another one with -o"
    except OSError as error:
        return f"output directory {path} cannot be read: {error.strerror}; choose another with -o"
    if has_begun(path) or (path / ENSEMBLE).exists():
        return (
            f"output directory {path} exists: a run is never written over another; "
            f"epmpi resume {path}, or choose another one with -o"
        )
    return (
        f"output directory {path} exists, without a run, and has other files in it, such as "
        f"{others[0] if others else 'run.h5'}: choose another one with -o"
    )


def clear(directory: Path) -> None:
    """Remove the leftovers of a run that had not begun; the caller holds its lock.

    Raises
    ------
    ConfigError
        If there are other files, checked again under the lock.
    OutputError
        If it cannot be removed.
    """
    if not may_begin(directory):
        raise ConfigError(why_not(directory))
    with output_errors(directory):
        left = sorted(MADE - {LOCK} & set(os.listdir(directory)))
        for name in left:
            (directory / name).unlink()
    if "run.h5" in left:
        say(f"epmpi: the run in {directory} was ended before its first step: it starts again")


def configuration_to_begin(directory: Path) -> Configuration | None:
    """Return the configuration of a run that was ended before its first step; else None.

    Raises
    ------
    ConfigError
        If it had not been written yet.
    """
    if not directory.is_dir() or not may_begin(directory):
        return None
    if not (directory / "run.h5").exists():
        raise ConfigError(
            f"{directory} holds no run yet: begin it with epmpi run CONFIG.toml -o {directory}"
        )
    try:
        with open_file(directory / "run.h5") as file:
            attributes: Any = file["parameters"].attrs
            return stored_configuration(attributes["configuration"].decode())
    except (OSError, RuntimeError, LookupError, AttributeError, ValueError) as error:
        why = one_line(error)
        raise ConfigError(f"{directory} cannot be continued: {why}; start it again") from error


def longest_series(directory: Path) -> int:
    """Return the largest number of frames of the elements of a run file; 0 if there are none.

    A file that cannot be read counts as long: it must not be removed.
    """
    found = [0]

    def count(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and name.endswith("/step"):
            found.append(item.shape[0])

    try:
        with open_file(directory / "run.h5") as file:
            check_file(file)
            file.visititems(count)
    except FileNotFoundError:
        return 0
    except (OSError, RuntimeError, ValueError):
        return 2
    return max(found)
