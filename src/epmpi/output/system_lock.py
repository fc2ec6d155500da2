"""The system's lock of a file, and whether it works: not on every file system."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST = 2000  # bytes of a lock that are read


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Give the descriptor of a file, opened anew: so a network file system asks its server."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except PermissionError:  # of another user
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield file
    finally:
        os.close(file)


def text_of(file: int) -> bytes:
    """Return what an open lock says."""
    return os.pread(file, LONGEST, 0)


def read(path: Path) -> bytes:
    """Return what a lock says now."""
    with opened(path) as file:
        return text_of(file)


def locked(file: int, path: Path) -> bool | None:
    """Lock a file; False if another process has, None where locks do not work.

    They are tried: that a file is locked must be seen by who opens it again.
    """
    exclusive = fcntl.LOCK_EX | fcntl.LOCK_NB
    try:
        fcntl.flock(file, exclusive)
    except OSError as error:
        return False if error.errno == errno.EWOULDBLOCK else None
    try:
        with opened(path) as again:
            fcntl.flock(again, exclusive)
    except OSError as error:
        return True if error.errno == errno.EWOULDBLOCK else None
    return None
