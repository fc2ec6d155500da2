"""What a clock of the model offers: it advances the state from one tick to the next.

A tick is `time.step`.  Everything else of a run, from observables to checkpoints, looks at the
model at ticks and does not know which clock it has.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from epmpi.state import Accumulator


class Clock(ABC):
    """Advances the fields and the tracers of a model.

    It is a part of the state: what it returns as fields and counts is stored, and restored.
    """

    @abstractmethod
    def begin(self, step: int) -> None:
        """Go on from tick `step`, with fields that were set from outside.  Collective."""

    @abstractmethod
    def advance(self, step: int) -> None:
        """Advance from tick `step` to the next one.  Collective."""

    @abstractmethod
    def complete(self) -> None:
        """Bring all fields up to the present tick, before they are looked at.  Collective."""

    @abstractmethod
    def gather(self, accumulator: Accumulator) -> None:
        """Give every event from now on to an accumulator."""

    @abstractmethod
    def fields(self) -> Mapping[str, NDArray]:
        """Return the arrays by site that the future depends on, on the device, (rows, Ly)."""

    @abstractmethod
    def counts(self) -> Mapping[str, NDArray[np.int64]]:
        """Return integer arrays whose sums over the ranks are kept; `events`, of shape (), is one.

        `events` counts the activations since the start of the run.
        """

    @abstractmethod
    def restore(
        self, fields: Mapping[str, NDArray], counts: Mapping[str, NDArray[np.int64]]
    ) -> None:
        """Take over what both have returned; the counts are zero on all ranks but the root."""
