"""End of a process at a second signal, even while it waits in MPI.

Python calls signal handlers between two of its own instructions.  A rank that waits in MPI for a
dead rank executes none, so a thread watches the signals that the system has delivered.
"""

from __future__ import annotations

import os
import signal
import threading
import time

from epmpi.host.console import say

SECOND = 1.0  # seconds after the first signal from which another one counts
PATIENCE = 2.0  # seconds that the run then has to end by itself
ASKING = (signal.SIGINT, signal.SIGTERM)


class Insistence:
    """Ends this process after a second SIGINT or SIGTERM; use it in a `with` statement.

    For the main thread, which has the handlers of these signals.
    """

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._read = self._write = self._before = -1
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Insistence:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        signal.set_wakeup_fd(self._before)
        self._ended.set()
        os.close(self._write)  # ends the loop of the thread
        self._thread.join()
        os.close(self._read)

    def _listen(self) -> None:
        first = float("inf")
        while number := os.read(self._read, 1):
            if number[0] not in ASKING:
                continue
            if time.monotonic() > first + SECOND and not self._ended.wait(PATIENCE):
                name = signal.Signals(number[0]).name
                say(f"epmpi: a second {name} came, and the run cannot stop: ended at once")
                os._exit(128 + number[0])
            first = min(first, time.monotonic())
