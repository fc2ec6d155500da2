"""Interface of a clock of the model: it advances the state from one tick to the next.

A tick is `time.step`.  Output and checkpoints read the model at ticks, whatever the clock.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from epmpi.model.completed import CompletedEvents
from epmpi.model.state import Accumulator, Part
from epmpi.model.waiting import WaitCounts


class Clock(Part, ABC):
    """Advances the fields and the tracers of a model.

    Its fields are those of the model and its own.  One of its counts is `events`, of shape (): the
    activations since the start of the run.
    """

    @abstractmethod
    def begin(self, step: int) -> None:
        """Start from a tick, from fields set from outside or by `restore`.  Collective."""

    @abstractmethod
    def advance(self, step: int, until: int) -> int:
        """Advance from tick `step` to tick `until`, or to one before; return it.  Collective.

        It returns early, at the same tick on all ranks, after many events, so that the run can
        poll the wall clock.
        """

    @abstractmethod
    def complete(self) -> None:
        """Bring all fields up to the present tick, before they are read.  Collective."""

    @abstractmethod
    def place_tracers(self) -> None:
        """Move the tracers to their positions at the present tick, if they lag.  Collective."""

    def observables(self) -> Mapping[str, float]:
        """Return additional observables of this clock; the same on all ranks."""
        return {}

    @abstractmethod
    def waiting_times(self, first_step: int) -> WaitCounts:
        """Return a counter of waits between events of a site, from a step on, for `accumulate`."""

    @abstractmethod
    def accumulate(self, accumulator: Accumulator) -> None:
        """Give every event, or wait between two, from now on to one of `waiting_times`."""

    def log_events(self, first_step: int) -> CompletedEvents:
        """Return a store of the events that begin after a step and have ended.

        Raises
        ------
        TypeError
            If the clock knows neither beginnings nor ends.
        """
        raise TypeError(f"{type(self).__name__} does not know when events begin and end")
