"""Limit of open files: to read a dataset, HDF5 opens all its segments at once.

From a segment that it cannot open it reads zeros.
"""

from __future__ import annotations

import os
import resource

SPARE = 32  # for files that are opened meanwhile


class TooManyFilesError(ValueError):
    """A run with more segments than files may be open; one line."""


def allow_open_files(count: int) -> None:
    """Let this process open `count` more files, raising its soft limit if necessary.

    Raises
    ------
    TooManyFilesError
        If the hard limit is lower.
    """
    needed = count + _open_now() + SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or needed <= soft:
        return
    try:
        if hard != resource.RLIM_INFINITY and needed > hard:
            raise ValueError
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    except (ValueError, OSError):  # a system may allow less than it says
        raise TooManyFilesError(
            f"it has {count} segments, and at most {soft if hard < 0 else hard} files may be open: "
            f"raise the hard limit to {needed} (ulimit -Hn, /etc/security/limits.conf)"
        ) from None


def _open_now() -> int:
    try:
        return len(os.listdir("/dev/fd"))
    except OSError:
        return SPARE
