"""The system's lock of a file (flock), and a check that the file system supports it."""

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
    """Open a file anew, so that a network file system asks its server; give its descriptor."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except PermissionError:  # of another user
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield file
    finally:
        os.close(file)


def text_of(file: int) -> bytes:
    """Return the text of an open lock."""
    return os.pread(file, LONGEST, 0)


def read(path: Path) -> bytes:
    """Return the present text of a lock."""
    with opened(path) as file:
        return text_of(file)


def locked(file: int, path: Path) -> bool | None:
    """Lock a file; False if another process has locked it, None where locks do not work.

    That is tested: a second descriptor of the file must find it locked.
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
