"""Regular refresh of the locks that this process holds: signs of life for other machines."""

from __future__ import annotations

import threading
from collections.abc import Callable

REFRESH = 10.0  # seconds between two


class Refresher:
    """A thread that writes the signs of life of all locks of this process, while there are any."""

    def __init__(self) -> None:
        self._locks: set[Callable[[], None]] = set()  # `RunLock.refresh` of each
        self._guard = threading.Condition()
        self._going = False

    def add(self, refresh: Callable[[], None]) -> None:
        """Refresh a lock from now on."""
        with self._guard:
            self._locks.add(refresh)
            if not self._going:
                self._going = True
                threading.Thread(target=self._refresh, daemon=True).start()

    def remove(self, refresh: Callable[[], None]) -> None:
        """Stop refreshing a lock; it is not being refreshed when this returns."""
        with self._guard:
            self._locks.discard(refresh)
            self._guard.notify()

    def _refresh(self) -> None:
        with self._guard:
            while self._locks:
                if not self._guard.wait(REFRESH):
                    for refresh in self._locks:
                        refresh()
            self._going = False
