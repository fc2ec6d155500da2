"""A word about a run that stands still: MPI waits for a stalled rank without any."""

from __future__ import annotations

import threading
import time

from epmpi.host.telling import say

STALLED = 300.0  # seconds without a step after which the root says so


class Watchdog:
    """Says on stderr that no step has ended for long; use it in a `with` statement.

    The run is left alone: a rank may have been suspended, and goes on later.

    Parameters
    ----------
    watching : bool
        True on the root.
    seconds : float
        Without a sign of life before something is said.
    """

    def __init__(self, watching: bool, seconds: float = STALLED) -> None:
        self._watching = watching
        self._seconds = seconds
        self._done = threading.Event()
        self._step = 0
        self._seen = time.monotonic()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def alive(self, step: int) -> None:
        """Tell that a step has been reached."""
        self._step, self._seen = step, time.monotonic()

    def __enter__(self) -> Watchdog:
        if self._watching:
            self.alive(self._step)
            self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._done.set()

    def _watch(self) -> None:
        said = 0.0
        while not self._done.wait(min(self._seconds / 4, 10.0)):
            idle = time.monotonic() - self._seen
            if idle > self._seconds and self._seen != said:
                said = self._seen
                say(
                    f"epmpi: no step has ended for {idle:.0f} s, the last was {self._step}: a rank "
                    "may be stalled; the run can be killed and resumed from its checkpoint"
                )
