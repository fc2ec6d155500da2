"""Location of a run file, and reasons why it cannot be opened."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from epmpi.trust.foreign_writers import HeldError


class IncompleteError(ValueError):
    """A run.h5 without the files that it refers to; one line."""


def followed(path: Path) -> Path:
    """Return a path with its links resolved: run.h5 refers to files in its real directory."""
    return Path(os.path.realpath(path)) if path.is_symlink() and path.exists() else path


def why_closed(path: str | Path, error: BaseException) -> str:
    """Return in one line why a file cannot be opened, by the system's message if there is one.

    HDF5's messages are much longer.
    """
    if isinstance(error, HeldError):
        return str(error)
    number = getattr(error, "errno", None)
    if os.path.islink(path) and not os.path.exists(path):
        return f"it is a link to {os.readlink(path)}, which does not exist"
    if number == errno.ENOENT or not os.path.lexists(path):
        return "there is no such file"
    if number is not None:
        return os.strerror(number).lower()
    return " ".join(str(error).split())[:200] or type(error).__name__
