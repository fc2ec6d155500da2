"""One run at a time in a directory: it is asked before every change whether it still is the run's.

The system's lock (flock) is let go of when its holder dies.  But on some network file systems it
holds on one machine only, does nothing, or is not there; and whoever removes or moves a directory
asks no lock.  So run.lock also names its holder, who refreshes it every few seconds, and
nothing is begun, renamed or removed before `RunLock.check` has found directory and lock to be the
same as at the start.

A lock that is there when a run begins is that of a run that goes on, or of one that was killed:

- of a process of this machine flock tells, or, where it does not work, the process's number;
- a holder on another machine is watched for `SILENT` seconds: if it is alive, it refreshes.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from epmpi.config import ConfigError
from epmpi.host.console import say
from epmpi.output.failures import OutputError, output_errors, reason
from epmpi.output.holder import Holder
from epmpi.output.refreshing import Refresher
from epmpi.output.system_lock import locked, opened, read, text_of

NAME = "run.lock"
SILENT = (
    45.0  # seconds without a sign of life, after which a holder on another machine counts as dead
)
SETTLED = 1.0  # seconds in which another that took the lock at the same time is seen


class RunLock:
    """The lock of a run directory, held until `release` or the end of the process, however it ends.

    Used by the root alone.  It is removed by `release`; one that a killed run has left behind holds
    nobody up for longer than it takes to tell.

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
        self._holder = Holder.of_this_process()
        self._file = -1
        with output_errors(self.path):
            self._directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._take()
        except BaseException:
            self._close()
            raise
        _REFRESHER.add(self)

    def check(self) -> None:
        """Check that the directory and the lock are still those of this run.

        Where the lock has gone, who took the directory over may have been there and gone, too.

        Raises
        ------
        OutputError
            If they are not, or nobody can tell.
        """
        folder = self.path.parent
        try:
            fault = self._fault()
        except OSError as error:
            raise OutputError(
                f"cannot write to {folder}, which was moved, removed or cut off: {reason(error)}"
            ) from error
        if fault:
            raise OutputError(f"{folder} {fault}: this run ends, and has changed nothing there")

    def _fault(self) -> str:
        """Return why the directory is not this run's any more; empty if it is."""
        if not os.path.samestat(os.stat(self.path.parent), os.fstat(self._directory)):
            return "is not the directory that this run began in, which was moved or removed"
        try:
            if self._is_in_place():
                return ""
            owner = Holder.parse(read(self.path)) or "another run"
        except FileNotFoundError:
            return f"has no {self.path.name} any more: another run was there, or it was removed"
        return f"was taken over by {owner} while this run stood still"

    @property
    def is_ours(self) -> bool:
        """Whether `check` finds nothing wrong."""
        try:
            self.check()
        except OutputError:
            return False
        return True

    def release(self) -> None:
        """Let go; the name goes first, if it still is ours."""
        if self._file < 0:
            return
        if self.is_ours:
            with suppress(OSError):
                self.path.unlink()
        _REFRESHER.remove(self)
        self._close()

    def refresh(self) -> None:
        """Give a sign of life, on the disk for other machines to see."""
        with suppress(OSError):
            os.pwrite(self._file, self._holder.seen_now().line(), 0)
            os.fsync(self._file)

    def _close(self) -> None:
        for descriptor in (self._file, self._directory):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._directory = -1

    def _take(self) -> None:
        """Make the lock when it is certain that nobody else is in the directory."""
        certain = True
        while (file := self._made()) < 0:
            certain = self._clear()
        self._file = file
        if not certain:
            time.sleep(SETTLED)
            if not self._is_in_place():
                raise self._in_use(None)

    def _made(self) -> int:
        """Return the new file, locked and with the name of its holder; -1 if there is one."""
        with output_errors(self.path):
            try:
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                file = os.open(self.path, flags, 0o666)
            except FileExistsError:
                return -1
            if locked(file, self.path) is False:  # by one who takes it for left behind
                os.close(file)
                raise self._in_use(None)
            os.pwrite(file, self._holder.seen_now().line(), 0)
            os.fsync(file)
        return file

    def _is_in_place(self) -> bool:
        """Tell whether the lock in the directory is this one, by file and by holder."""
        with opened(self.path) as file:
            owner = Holder.parse(text_of(file))
            same = os.path.samestat(os.fstat(file), os.fstat(self._file))
        return same and owner is not None and owner.token == self._holder.token

    def _clear(self) -> bool:
        """Remove a lock whose holder is dead, after it is certain that it is.

        Returns
        -------
        bool
            Whether nobody else can have come to the same end at the same time.

        Raises
        ------
        ConfigError
            If its holder is alive.
        """
        try:
            with output_errors(self.path), opened(self.path) as file:
                left = text_of(file)
                holder, free = Holder.parse(left), locked(file, self.path)
                if free is False:
                    raise self._in_use(holder)
                near = holder is not None and holder.is_near
                if holder is not None and near and free is None and holder.is_alive:
                    raise self._in_use(holder)
                if not near:
                    self._watch(left, holder)
                if os.path.samestat(os.fstat(file), os.stat(self.path)):
                    self.path.unlink()
                return near and bool(free)
        except OutputError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return True
            raise

    def _watch(self, left: bytes, holder: Holder | None) -> None:
        """Look at a lock for as long as a living run lets it be; ConfigError if it changes."""
        say(
            f"epmpi: {self.path} was left by {holder or 'nobody knows whom'}, on another machine: "
            f"waiting {SILENT:.0f} s for a sign of life"
        )
        end = time.monotonic() + SILENT
        while time.monotonic() < end:
            time.sleep(SILENT / 50)
            found = read(self.path)
            if found != left:
                raise self._in_use(Holder.parse(found))

    def _in_use(self, holder: Holder | None) -> ConfigError:
        return ConfigError(
            f"{self.path.parent} is in use by {holder or 'another process'}: wait for its end, or "
            "stop it with SIGTERM"
        )


_REFRESHER = Refresher()
