"""Waiting times of the exact clock: between two activations of a site, in no steps at all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

SHORTEST = 1e-3  # tau; shorter waits are in the first bin
PER_DECADE = 12
DECADES = 17  # longest wait, 10^14 tau


def bin_edges(tick: float) -> NDArray[np.float64]:
    """Return the edges of the bins, in ticks: 0, then evenly spaced in the logarithm."""
    steps = np.arange(PER_DECADE * DECADES + 1) / PER_DECADE
    return np.append(0.0, SHORTEST / tick * 10.0**steps)


class ExactWaitingTimes:
    """Counts the waiting times of all sites, on the root; an accumulator of the model.

    Parameters
    ----------
    tick : float
        In units of tau.
    first_tick : int
        Ticks of the warm-up: both activations of a wait lie after it.
    is_root : bool

    Attributes
    ----------
    edges : float64 array, shape (bins + 1,)
        Of the bins, in ticks.
    number : int64 array, shape (bins,)
        The number of waits in each bin; zero on all ranks but the root.
    """

    def __init__(self, tick: float, first_tick: int, *, is_root: bool) -> None:
        self.edges = bin_edges(tick)
        self.number = np.zeros(self.edges.size - 1, np.int64)
        self._tick = tick
        self._is_root = is_root
        self.begin_at(first_tick)

    def begin_at(self, first_step: int) -> None:
        """Leave out the events of earlier ticks."""
        self._since = first_step * self._tick

    def add(self, begun: NDArray[np.float64], waited: NDArray[np.float64]) -> None:
        """Count waits, by the times at which sites were activated and the times before, in tau."""
        if not self._is_root:
            return
        counted = waited[begun - waited >= self._since] / self._tick
        bins = np.searchsorted(self.edges, counted, side="right") - 1
        np.add.at(self.number, np.minimum(bins, self.number.size - 1), 1)

    def take(self, *_: object) -> None:
        """Refuse steps: the exact clock has none."""
        raise TypeError("waits of the exact clock are counted by `add`")

    def fields(self) -> Mapping[str, NDArray]:
        """Return nothing: the clock itself knows when each site was last activated."""
        return {}

    def counts(self) -> Mapping[str, NDArray[np.int64]]:
        """Return the number of waits in each bin; see `number`."""
        return {"number": self.number}

    def restore(
        self, fields: Mapping[str, NDArray], counts: Mapping[str, NDArray[np.int64]]
    ) -> None:
        """Take over what both have returned."""
        self.number[:] = counts["number"]
