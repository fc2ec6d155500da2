"""To wait for the disk, where it can be waited for: not every file system flushes directories."""

from __future__ import annotations

import errno
import os
from functools import cache
from pathlib import Path

from epmpi.host.console import say

# What file systems answer that cannot flush a directory: SMB, some of FUSE and of clusters.
CANNOT = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EBADF)


def flush_to_disk(path: Path) -> None:
    """Wait until the file, or the names in the directory, are on the disk.

    Where the file system cannot flush a directory, a line says so and the run goes on: a name that
    is lost when the machine dies is that of the last publication.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in CANNOT or not path.is_dir():
            raise
        _tell(error.errno)
    finally:
        os.close(descriptor)


@cache
def _tell(number: int) -> None:
    """Say it once."""
    say(
        f"epmpi: this file system cannot flush a directory ({os.strerror(number)}): if the machine "
        "loses its power, the last publication may be lost; the run goes on"
    )
