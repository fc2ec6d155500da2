"""The state of a run: with its configuration, all that its future depends on.

Random draws are functions of (seed, stream, step, site), and the elastic response is a function of
n s, so neither is part of it.  Accumulators (histograms gathered while running) and
records of the root are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

EVENT_TYPES: dict[str, type] = {  # of the columns of a log of events
    "start": np.float64,
    "duration": np.float64,
    "x": np.int32,
    "y": np.int32,
    "direction": np.int8,
}
JUMP_TYPES: dict[str, type] = {"distance": np.float32, "drop": np.float32}  # if instantaneous

Arrays = Mapping[str, NDArray]  # by name


def event_types(*, instantaneous: bool) -> dict[str, type]:
    """Return the columns of a log of instantaneous or of finite events, with their types."""
    return EVENT_TYPES | JUMP_TYPES if instantaneous else EVENT_TYPES


class StateError(ArithmeticError):
    """A number of the state is not finite; the message is one line with its place and time."""


class Part:
    """A part of the state: the clock, an accumulator of events, or a record of the root."""

    def fields(self) -> Arrays:
        """Return the arrays by site that the future depends on, on the device, (rows, Ly)."""
        return {}

    def counts(self) -> Arrays:
        """Return integer arrays whose sums over the ranks are kept."""
        return {}

    def root(self) -> Arrays:
        """Return the arrays of which those of the root are kept; see `State.root`.  Collective."""
        return {}

    def restore(self, fields: Arrays, counts: Arrays, root: Arrays) -> None:
        """Take over what they have returned.  Collective.

        On all ranks but the root the counts are zero; the arrays of the root are given to all.
        """


class Accumulator(Part, ABC):
    """Statistics gathered event by event of a run; those of the exact clock in `add`."""

    @abstractmethod
    def take(
        self,
        begun: NDArray[np.int64],
        events: NDArray[np.int64],
        first_site: int,
        step: NDArray[np.uint64],
    ) -> None:
        """Take the events that began in a step in a block of rows.

        Parameters
        ----------
        begun : int64 array on the device
            Its beginning holds their flat indices x Ly + y from the first site of the block on.
        events : int64 array on the device, shape (1,)
            Their number.
        first_site : int
            Local flat index of the first site of the block.
        step : uint64 array on the device, shape (1,)
            Number of the step.
        """


@dataclass
class State:
    """State of a run, on one rank.

    Parameters
    ----------
    step_count : int
        Steps since the start of the run.
    fields : dict of arrays, shape (rows of this rank, Ly)
        By name; names and dtypes are the same on all ranks.
    counts : dict of int64 arrays
        Sums over all ranks, by name; `events` is one of them, of shape ().
    identity : int64 array, shape (tracers of this rank,)
    position : float64 array, shape (tracers of this rank, 2)
        Unwrapped, in lattice spacings.
    root : dict of arrays
        Arrays of the root alone, by name; empty on the other ranks.  Of integers or floating-point
        numbers, which need not be finite; names, dtypes and shapes are fixed, except the length of
        the first axis.
    """

    step_count: int
    fields: dict[str, NDArray]
    counts: dict[str, NDArray[np.int64]]
    identity: NDArray[np.int64]
    position: NDArray[np.float64]
    root: dict[str, NDArray] = field(default_factory=dict)

    def fault(self, first_row: int) -> str | None:
        """Return where a number is not finite, or None: one pass over the memory of this rank.

        Parameters
        ----------
        first_row : int
            Global index x of this rank's first row.
        """
        for name, values in self.fields.items():
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                x, y = np.argwhere(~np.isfinite(values))[0]
                return f"{name} is {values[x, y]} at site [{first_row + x}, {y}]"
        lost = np.flatnonzero(~np.isfinite(self.position).all(axis=1))
        if len(lost):
            return f"tracer {self.identity[lost[0]]} is at {self.position[lost[0]].tolist()}"
        return None
