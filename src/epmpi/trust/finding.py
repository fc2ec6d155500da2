"""Where a run file is, what it consists of, and why it cannot be opened."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from epmpi.trust.foreign_writers import HeldError


class IncompleteError(ValueError):
    """Tell in one line that run.h5 is without the files that it refers to."""


def followed(path: Path) -> Path:
    """Return a path with its links followed: run.h5 refers to files beside where it really is."""
    return Path(os.path.realpath(path)) if path.is_symlink() and path.exists() else path


def why_closed(path: str | Path, error: BaseException) -> str:
    """Return in one line why a file cannot be opened, in words of the system's where it has some.

    What HDF5 says of a file that is not there has four times the length.
    """
    if isinstance(error, HeldError):
        return str(error)
    number = getattr(error, "errno", None)
    if os.path.islink(path) and not os.path.exists(path):
        return f"it is a link to {os.readlink(path)}, which is not there"
    if number == errno.ENOENT or not os.path.lexists(path):
        return "there is no such file"
    if number is not None:
        return os.strerror(number).lower()
    return " ".join(str(error).split())[:200] or type(error).__name__
