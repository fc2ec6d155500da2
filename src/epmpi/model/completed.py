"""Completed events of the exact clock, kept until they are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Columns = dict[str, NDArray]


class CompletedEvents:
    """Keeps the events that began after a tick, in the order in which they end; on all ranks.

    Each is returned once.  Its start is counted from that tick on, in tau.

    Parameters
    ----------
    tick : float
        In units of tau.
    first_tick : int
        Ticks of the warm-up.
    types : mapping
        The columns, with their types; see `state.event_types`.
    bring : callable
        Makes the clock `add` the events that have ended by now.
    """

    def __init__(
        self, tick: float, first_tick: int, types: Mapping[str, type], bring: Callable[[], None]
    ) -> None:
        self._tick = tick
        self._bring = bring
        self._types = types
        self._parts: list[Columns] = [{name: np.zeros(0, kind) for name, kind in types.items()}]
        self.begin_at(first_tick)

    def begin_at(self, first_step: int) -> None:
        """Ignore the events that begin at this tick or earlier."""
        self._since = first_step * self._tick

    def add(self, whole: float, beyond: float, ended: Columns) -> None:
        """Add events in order, whose `start` and `end` are counted from whole + beyond on.

        Whole units of tau are taken apart, so that no digit is lost in a long run.
        """
        start = (whole - self._since) + (beyond + ended["start"])
        chosen = start > 0
        if chosen.any():
            columns = ended | {"start": start, "duration": ended["end"] - ended["start"]}
            self._parts.append(
                {name: columns[name][chosen].astype(kind) for name, kind in self._types.items()}
            )

    def take(self) -> Columns:
        """Return all events that have ended since the last call, by the columns of the log."""
        self._bring()
        taken = {name: np.concatenate([part[name] for part in self._parts]) for name in self._types}
        del self._parts[1:]
        return taken
