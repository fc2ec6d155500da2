"""Every event of a run of the exact clock, followed by a test."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from epmpi.model.model import Model


class Logged(NamedTuple):
    """Events in the order in which they ended, or of those that go on, with the end infinite.

    Arrays of shape (events,); times in units of tau since the start of the run, to 1e-9 of tau.
    """

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    direction: NDArray[np.int8]
    start: NDArray[np.float64]
    end: NDArray[np.float64]

    def where(self, chosen: NDArray | slice) -> "Logged":
        """Return some of the events."""
        return Logged(*(array[chosen] for array in self))


class EventLog:
    """Keeps what the clock forgets: the events completed before each flush."""

    def __init__(self, model: Model) -> None:
        self._clock = model.clock
        self._kept: list[Logged] = []
        forget: Callable[[float], None] = self._clock._flush

        def flush(now: float) -> None:
            self._kept.append(self._since_flush())
            forget(now)

        self._clock._flush = flush

    def _since_flush(self) -> Logged:
        events, n = (
            self._clock._engine.records.events,
            int(self._clock._engine.progress["completed"]),
        )
        began = self._clock._time(0.0)
        return Logged(
            events.x[:n].copy(), events.y[:n].copy(), events.direction[:n].copy(),
            began + events.start[:n], began + events.end[:n],
        )  # fmt: skip

    def completed(self) -> Logged:
        """Return all events that have ended, in the order of their ends."""
        found = [*self._kept, self._since_flush()]
        return Logged(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))

    def all(self) -> Logged:
        """Return all events, in the order in which they began."""
        engine = self._clock._engine
        n = int(engine.progress["active"])
        x, y = engine.records.events.active_x[:n], engine.records.events.active_y[:n]
        now = Logged(
            x, y, engine.records.sites.active[x, y],
            self._clock._time(0.0) + engine.records.events.active_since[:n], np.full(n, np.inf),
        )  # fmt: skip
        found = Logged(
            *(np.concatenate(arrays) for arrays in zip(self.completed(), now, strict=True))
        )
        return found.where(np.argsort(found.start, kind="stable"))

    def forget(self) -> Logged:
        """Return the events that were flushed since the last call, and forget them."""
        none = self._since_flush().where(slice(0))
        found, self._kept = [none, *self._kept], []
        return Logged(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))
