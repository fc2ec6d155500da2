"""One run at a time in a directory: a lock that the system lets go of when its holder dies."""

from __future__ import annotations

import errno
import fcntl
import os
import platform
from pathlib import Path

from epmpi.config import ConfigError
from epmpi.output.failures import OutputError, reason

NAME = "run.lock"
# File systems without locks: there, only the directory's being new protects a run.
WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


class RunLock:
    """The lock of a run directory, held until `release` or the end of the process, however it ends.

    Used by the root alone.  The file names its holder, for the message to others, and is removed by
    `release`; one that a killed run has left behind holds nobody up.

    Parameters
    ----------
    directory : Path
        Exists.

    Raises
    ------
    ConfigError
        If another run holds it.
    OutputError
        If the file cannot be made.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / NAME
        self._file = -1
        while self._file < 0:
            self._file = self._take()
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"process {os.getpid()} on {platform.node()}\n".encode(), 0)

    def _take(self) -> int:
        """Return the locked file; -1 if its name was removed between opening and locking it."""
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {reason(error)}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in WITHOUT_LOCKS:
                return file
            holder = os.pread(file, 200, 0).decode(errors="replace").strip()
            os.close(file)
            raise ConfigError(
                f"{self.path.parent} is in use by {holder or 'another process'}: wait for its end, "
                "or stop it with SIGTERM"
            ) from error
        try:
            if os.path.samestat(os.fstat(file), os.stat(self.path)):
                return file
        except FileNotFoundError:
            pass
        os.close(file)
        return -1

    def release(self) -> None:
        """Let go; the name goes first, while it is still ours."""
        if self._file >= 0:
            self.path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = -1
