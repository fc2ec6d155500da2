"""Regular refresh of the locks that this process holds: signs of life for other machines."""

from __future__ import annotations

import threading
from typing import Protocol

REFRESH = 10.0  # seconds between two


class Refreshed(Protocol):
    """A lock that is refreshed."""

    def refresh(self) -> None:
        """Write a sign of life."""
        ...


class Refresher:
    """A thread that refreshes all locks of this process, while there are any."""

    def __init__(self) -> None:
        self._locks: set[Refreshed] = set()
        self._guard = threading.Condition()
        self._going = False

    def add(self, lock: Refreshed) -> None:
        """Refresh a lock from now on."""
        with self._guard:
            self._locks.add(lock)
            if not self._going:
                self._going = True
                threading.Thread(target=self._refresh, daemon=True).start()

    def remove(self, lock: Refreshed) -> None:
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
