"""The signals that stop a run, handled from the start of the process.

Imports, the start of MPI and the compiler take a second to a minute before the first step.  A
signal in that time would kill the process, or be lost: MPI libraries install their own handlers
(MPICH for SIGUSR1, UCX for SIGHUP).  So the command line installs handlers before it imports
anything, they are restored after the start of MPI, and the run begins with the signal received.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP, signal.SIGINT)
_LARGEST_HANDLER = 1024  # bytes: more than any system's struct sigaction


class _Early:
    """The signal received before a run has handlers of its own, and the previous handlers."""

    def __init__(self) -> None:
        self.received = 0
        self.before: dict[int, Any] = {}

    def note(self, number: int, frame: FrameType | None) -> None:
        self.received = number

    def note_lost(self, lost: sys.UnraisableHookArgs) -> None:
        """Record a KeyboardInterrupt that a library loses: the compiler calls Python from C."""
        if issubclass(lost.exc_type, KeyboardInterrupt):
            self.received = signal.SIGINT
        else:
            sys.__unraisablehook__(lost)


_early = _Early()


def is_handled(number: int) -> bool:
    """Tell whether a run handles a signal: not a SIGHUP that is ignored (nohup)."""
    return number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN


@contextmanager
def recording() -> Iterator[None]:
    """Record all the signals except SIGINT, which interrupts, until the end or `release`.

    An interrupt that gets lost is recorded, until the end.
    Outside the main thread, where Python allows no handlers, none is recorded.
    """
    _early.received = 0
    hook, sys.unraisablehook = sys.unraisablehook, _early.note_lost
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            if number != signal.SIGINT and is_handled(number):
                _early.before[number] = signal.signal(number, _early.note)
    try:
        yield
    finally:
        sys.unraisablehook = hook
        _restore()


def release() -> None:
    """Restore the previous handlers, and raise again a signal that was recorded."""
    _restore()
    if received := take_received():
        os.kill(os.getpid(), received)


def take_received() -> int:
    """Return the number of the last recorded signal, and forget it; 0 if there was none."""
    received, _early.received = _early.received, 0
    return received


def _restore() -> None:
    for number, handler in _early.before.items():
        signal.signal(number, handler)
    _early.before.clear()


@contextmanager
def keeping_handlers() -> Iterator[None]:
    """Restore the handlers of the signals at the end, even if a library has replaced them."""
    system = ctypes.CDLL(None)
    handlers = {number: ctypes.create_string_buffer(_LARGEST_HANDLER) for number in SIGNALS}
    for number, handler in handlers.items():
        system.sigaction(number, None, handler)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            system.sigaction(number, handler, None)
