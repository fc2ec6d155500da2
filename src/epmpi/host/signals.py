"""The signals that tell a run to stop, heard from the first moment of the process on.

Between the start of a program and the steps of its run lie imports, the start of MPI and the
compiler: a second or a minute.  A signal that comes then would kill the process, or be swallowed:
MPI libraries install handlers of their own (MPICH for SIGUSR1, UCX for SIGHUP).  So the command
line listens before it imports anything, what starts MPI puts the handlers back, and the run begins
with what has been heard.
"""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP, signal.SIGINT)
_LARGEST_HANDLER = 1024  # bytes: more than any system's struct sigaction


class _Early:
    """What has been heard before a run listens itself, and the handlers of before."""

    def __init__(self) -> None:
        self.received = 0
        self.before: dict[int, Any] = {}

    def note(self, number: int, frame: FrameType | None) -> None:
        self.received = number


_early = _Early()


def is_heard(number: int) -> bool:
    """Tell whether a run may take note of a signal: not of a SIGHUP that is ignored (nohup)."""
    return number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN


@contextmanager
def listening() -> Iterator[None]:
    """Take note of the signals but SIGINT, which interrupts; until the end, or `let_go`.

    Outside the main thread, where Python allows no handlers, nothing is heard.
    """
    _early.received = 0
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            if number != signal.SIGINT and is_heard(number):
                _early.before[number] = signal.signal(number, _early.note)
    try:
        yield
    finally:
        _restore()


def let_go() -> None:
    """Listen no more, where nobody would act on it; what has been heard does what it would have."""
    _restore()
    if received := taken():
        os.kill(os.getpid(), received)


def taken() -> int:
    """Return the number of the last signal that has been heard, once; 0 if there was none."""
    received, _early.received = _early.received, 0
    return received


def _restore() -> None:
    for number, handler in _early.before.items():
        signal.signal(number, handler)
    _early.before.clear()


@contextmanager
def kept() -> Iterator[None]:
    """Put the handlers of the signals back in the end, whatever a library has made of them."""
    system = ctypes.CDLL(None)
    handlers = {number: ctypes.create_string_buffer(_LARGEST_HANDLER) for number in SIGNALS}
    for number, handler in handlers.items():
        system.sigaction(number, None, handler)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            system.sigaction(number, handler, None)
