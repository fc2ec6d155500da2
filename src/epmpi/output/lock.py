"""The lock of a run directory: one run at a time, checked before every change.

The system's lock (flock) is released when its holder dies.  But on some network file systems it
holds on one machine only, does nothing, or is missing; and a directory can be removed or moved in
spite of it.  So run.lock also names its holder, which refreshes it every few seconds, and nothing
is begun, renamed or removed before `RunLock.check` has found directory and lock to be the same as
at the start.

A lock found at the start belongs to a run that is running, or was killed:

- a holder on this machine is checked by flock or, where that does not work, by its process number;
- a holder on another machine is watched for `SILENT` seconds: if it is alive, it refreshes.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from epmpi.config import ConfigError
from epmpi.host.console import say
from epmpi.output.failures import OutputError, output_errors, reason
from epmpi.output.holder import Holder
from epmpi.output.system_lock import locked, opened, read, text_of

NAME = "run.lock"
REFRESH = 10.0  # seconds between two signs of life
SILENT = 45.0  # seconds without one, after which a holder on another machine counts as dead
SETTLED = 1.0  # seconds after which another process that took the lock at the same time is seen


class RunLock:
    """The lock of a run directory, held until `release` or the end of the process.

    Used by the root alone.  The lock of a killed run is replaced as soon as its holder is found to
    be dead.

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

        A missing lock is an error: another run may have been there meanwhile.

        Raises
        ------
        OutputError
            If they are not, or cannot be checked.
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
        """Return why the directory no longer belongs to this run; empty if it does."""
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
        """Whether `check` succeeds."""
        try:
            self.check()
        except OutputError:
            return False
        return True

    def release(self) -> None:
        """Remove the lock file, if it is still ours, and release the lock."""
        if self._file < 0:
            return
        if self.is_ours:
            with suppress(OSError):
                self.path.unlink()
        _REFRESHER.remove(self)
        self._close()

    def refresh(self) -> None:
        """Write a sign of life to the disk, for other machines to see."""
        with suppress(OSError):
            os.pwrite(self._file, self._holder.line(), 0)
            os.fsync(self._file)

    def _close(self) -> None:
        for descriptor in (self._file, self._directory):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._directory = -1

    def _take(self) -> None:
        """Make the lock once it is certain that no other process uses the directory."""
        certain = True
        while (file := self._made()) < 0:
            certain = self._clear()
        self._file = file
        if not certain:
            time.sleep(SETTLED)
            if not self._is_in_place():
                raise self._in_use(None)

    def _made(self) -> int:
        """Return a new lock file, locked and with the name of its holder; -1 if one exists."""
        with output_errors(self.path):
            try:
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                file = os.open(self.path, flags, 0o666)
            except FileExistsError:
                return -1
            if locked(file, self.path) is False:  # by a process that is clearing old locks
                os.close(file)
                raise self._in_use(None)
            os.pwrite(file, self._holder.line(), 0)
            os.fsync(file)
        return file

    def _is_in_place(self) -> bool:
        """Tell whether the lock in the directory is this one, by file and by holder."""
        with opened(self.path) as file:
            owner = Holder.parse(text_of(file))
            same = os.path.samestat(os.fstat(file), os.fstat(self._file))
        return same and owner is not None and owner.token == self._holder.token

    def _clear(self) -> bool:
        """Remove a lock once it is certain that its holder is dead.

        Returns
        -------
        bool
            Whether no other process can have done the same at the same time.

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
        """Watch a lock until a living run would have refreshed it; ConfigError if it changes."""
        say(
            f"epmpi: {self.path} was left by {holder or 'an unknown process'}, on another machine: "
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


@contextmanager
def released_on_error(lock: RunLock | None) -> Iterator[None]:
    """Release a lock, if there is one, when what follows raises an error of the user."""
    try:
        yield
    except (ConfigError, OutputError):
        if lock is not None:
            lock.release()
        raise


class Refresher:
    """A thread that refreshes all locks of this process, while there are any."""

    def __init__(self) -> None:
        self._locks: set[RunLock] = set()
        self._guard = threading.Condition()
        self._going = False

    def add(self, lock: RunLock) -> None:
        """Refresh a lock from now on."""
        with self._guard:
            self._locks.add(lock)
            if not self._going:
                self._going = True
                threading.Thread(target=self._refresh, daemon=True).start()

    def remove(self, lock: RunLock) -> None:
        """Stop refreshing a lock; it is not being refreshed when this returns."""
        with self._guard:
            self._locks.discard(lock)
            self._guard.notify()

    def _refresh(self) -> None:
        with self._guard:
            while self._locks:
                if not self._guard.wait(REFRESH):
                    for lock in self._locks:
                        lock.refresh()
            self._going = False


_REFRESHER = Refresher()
