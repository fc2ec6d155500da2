"""Flushing of files and directories to the disk; not every file system flushes directories."""

from __future__ import annotations

import errno
import os
from functools import cache
from pathlib import Path

from epmpi.host.console import say

# Errors of file systems that cannot flush a directory: SMB, some FUSE and cluster file systems.
CANNOT = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EBADF)


def flush_to_disk(path: Path) -> None:
    """Wait until the file, or the names in the directory, are on the disk.

    Where the file system cannot flush a directory, a warning is printed and the run continues: a
    crash of the machine may then lose the last publication.
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
        "loses power, the last publication may be lost; the run continues"
    )
