"""Watchdog of a stalled run: MPI waits for a stalled rank silently and for ever."""

from __future__ import annotations

import os
import threading
import time

from epmpi.host.console import say
from epmpi.host.exits import STOPPED
from epmpi.parallel import Communicator

STALLED = 300.0  # seconds without a step after which the root prints a warning
LOOK = 10.0  # largest interval of the checks, in seconds
LATER = 10.0  # seconds that the other ranks wait longer: they end the run if the root is stalled
ENDING = 1.0  # seconds for MPI to inform the launcher, before this rank ends by itself


class Watchdog:
    """Warns if no step ends for long, and ends the run at its limit; use it in a `with` statement.

    It watches the start of a run too: its arrays, compiled code and files.  Without a limit a
    stalled run is not ended: a suspended rank may continue later.  Time in which this process
    itself was suspended does not count.

    Parameters
    ----------
    communicator : Communicator
        Its root prints a warning after `STALLED` seconds.
    limit : float
        Seconds after which all ranks are ended, with exit code 75; 0: no limit.
    """

    def __init__(self, communicator: Communicator, *, limit: float = 0.0) -> None:
        never, is_root = float("inf"), communicator.is_root
        self._communicator = communicator
        self._warns_at = STALLED if is_root else never
        self._ended_at = (limit if is_root else limit + LATER) if limit else never
        self._done = threading.Event()
        self._step: int | None = None  # the last one, from which a run can be resumed
        self._idle = 0.0  # seconds since the last sign of life
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def alive(self, step: int | None = None) -> None:
        """Record a sign of life, and the step that has been reached."""
        self._step = self._step if step is None else step
        self._idle = 0.0

    def __enter__(self) -> Watchdog:
        if min(self._warns_at, self._ended_at) < float("inf"):
            self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._done.set()

    def _watch(self) -> None:
        interval = min(LOOK, self._warns_at / 4, self._ended_at / 4)
        seen = time.monotonic()
        while not self._done.wait(interval):
            before, self._idle = self._idle, self._idle + min(time.monotonic() - seen, 2 * interval)
            seen = time.monotonic()
            if self._idle >= self._ended_at:
                self._end()
            if before < self._warns_at <= self._idle:
                say(
                    f"epmpi: no step has ended for {self._idle:.0f} s, {self._last()}: "
                    "a rank may be stalled; the run can be killed and resumed from its checkpoint"
                )

    def _last(self) -> str:
        return "the run is starting" if self._step is None else f"the last was {self._step}"

    def _end(self) -> None:
        """End all ranks, from this thread: the main thread may wait for ever."""
        resumed = "to be resumed from the last checkpoint"
        further = "to be started again" if self._step is None else resumed
        say(
            f"epmpi: no step has ended for {self._idle:.0f} s (run.stall_limit), {self._last()}: "
            f"ended, {further}"
        )
        threading.Timer(ENDING, os._exit, [STOPPED]).start()
        self._communicator.abort(STOPPED)
