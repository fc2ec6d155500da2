"""Interface of a clock of the model: it advances the state from one tick to the next.

A tick is `time.step`.  Everything else in a run, from observables to checkpoints, reads the model
at ticks and does not depend on the clock.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from epmpi.model.state import Accumulator, EventKeeper, WaitCounts


class Clock(ABC):
    """Advances the fields and the tracers of a model.

    It is a part of the state: its fields, its counts and the arrays of its root are stored and
    restored.
    """

    @abstractmethod
    def begin(self, step: int) -> None:
        """Start from tick `step`, with fields that were set from outside.  Collective."""

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
        """Give every event from now on to an accumulator."""

    def log_events(self, first_step: int) -> EventKeeper:
        """Return a store of the events that begin after a step and have ended."""
        raise TypeError(f"{type(self).__name__} does not know when events begin and end")

    @abstractmethod
    def fields(self) -> Mapping[str, NDArray]:
        """Return the arrays by site that the future depends on, on the device, (rows, Ly)."""

    @abstractmethod
    def counts(self) -> Mapping[str, NDArray[np.int64]]:
        """Return integer arrays whose sums over the ranks are kept; `events`, of shape (), is one.

        `events` counts the activations since the start of the run.
        """

    def root(self) -> Mapping[str, NDArray]:
        """Return the arrays that the root alone keeps; other ranks' are lost.  Collective.

        Names, dtypes and shapes are always the same, except the length of the first axis (see
        `State.root`); the names have no slash.
        """
        return {}

    @abstractmethod
    def restore(
        self,
        fields: Mapping[str, NDArray],
        counts: Mapping[str, NDArray[np.int64]],
        root: Mapping[str, NDArray],
    ) -> None:
        """Take over what they have returned.  Collective.

        On all ranks but the root the counts are zero, and `root` is empty.
        """
