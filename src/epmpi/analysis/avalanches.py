"""Avalanches in the log of events: bursts that are separated from others by pauses.

Their size S is the number of events, their duration the time from the first to the last one.  The
first and the last burst of a log are left out: the run may have cut them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.blocks import jackknifed, without_one
from epmpi.analysis.curve import Curve, FittedLaw
from epmpi.analysis.events import Events
from epmpi.analysis.waiting_times import WaitingTimes

BLOCKS = 16
PER_DECADE = 8  # bins of sizes and durations
SIZES = (
    "P(S): probability of an avalanche of S events, a burst of events each at most `gap` (tau) "
    "after the one before; over logarithmic bins, divided by the number of whole S in each"
)
DURATION = "mean size S of the avalanches of a duration, from the first to the last event"
DISTINCT = "mean number of distinct sites in the avalanches of a size S"
LAW = "P(S) = A S^-x exp(-S/S_c)"


@dataclass(frozen=True)
class Avalanches:
    """Bursts of events; arrays of shape (avalanches,), in order of time, replica after replica.

    Attributes
    ----------
    size : int array
        Events.
    sites : int array
        Distinct ones.
    duration : array
        In tau.
    block : int array
        The block of time, or the replica, that each belongs to, for errors.
    gap : float
        In tau.
    """

    size: NDArray[np.int64]
    sites: NDArray[np.int64]
    duration: NDArray[np.float64]
    block: NDArray[np.int64]
    gap: float

    def __len__(self) -> int:
        return len(self.size)

    def distribution(self) -> Curve:
        """Return P(S); bins without an avalanche are left out."""
        edges = whole_edges(int(self.size.max()))
        counts, width = self._counts(self.size, edges), np.diff(edges)

        def density(numbers: NDArray) -> NDArray:
            return np.asarray(numbers / (numbers.sum() * width))

        value, error = jackknifed(density, counts.sum(axis=0), without_one(counts))
        seen, middle = value > 0, np.sqrt(edges[1:] * edges[:-1])
        parameters = {"gap": self.gap, "number": float(len(self))}
        return Curve(
            "avalanche_sizes", SIZES, "size", middle[seen], value[seen], error[seen], "1", "1",
            parameters,
        )  # fmt: skip

    def fit(self, smallest: float = 1.0) -> FittedLaw | None:
        """Fit P(S) = A S^-x exp(-S/S_c), in logarithms, from a size on; None for too few bins."""
        edges = whole_edges(int(self.size.max()))
        found = WaitingTimes(edges, self._counts(self.size, edges)).fit(smallest)
        return (
            None
            if found is None
            else FittedLaw(LAW, found.names, found.value, found.error, found.span)
        )

    def size_of_duration(self) -> Curve:
        """Return the mean size of avalanches of a duration; those of one event are left out."""
        longer = self.duration > 0
        low, high = (np.log10(f(self.duration[longer], initial=self.gap)) for f in (np.min, np.max))
        bins = int(PER_DECADE * (high - low)) + 1
        edges = 10.0 ** np.linspace(low, high + 1e-9, bins + 1)
        return self._means("avalanche_durations", DURATION, self.duration, self.size, edges, longer)

    def sites_of_size(self) -> Curve:
        """Return the mean number of distinct sites of avalanches of a size."""
        edges, every = whole_edges(int(self.size.max())), np.ones(len(self), bool)
        return self._means("avalanche_sites", DISTINCT, self.size, self.sites, edges, every)

    def _counts(self, values: NDArray, edges: NDArray, weights: NDArray | None = None) -> NDArray:
        """Return histograms by block, (blocks, bins)."""
        blocks, bins = int(self.block.max()) + 1, len(edges) - 1
        column = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, bins - 1)
        counts = np.bincount(self.block * bins + column, weights, minlength=blocks * bins)
        return counts.reshape(blocks, bins)

    def _means(
        self, name: str, definition: str, x: NDArray, y: NDArray, edges: NDArray, chosen: NDArray
    ) -> Curve:
        """Return the means of y in bins of x, against the means of x, of some avalanches."""
        weights = (chosen * 1.0, np.where(chosen, x, 0), np.where(chosen, y, 0))
        sums = np.stack([self._counts(x, edges, weight) for weight in weights], axis=1)
        seen = sums[:, 0].sum(axis=0) > 0
        sums = sums[:, :, seen]
        total = sums.sum(axis=0)
        # Bin by bin: one that a block alone has seen has no error.
        error = np.array(
            [
                jackknifed(lambda one: one[2] / one[0], bin_total, left[left[:, 0] > 0])[1]
                for bin_total, left in zip(
                    total.T, np.moveaxis(without_one(sums), 2, 0), strict=True
                )
            ]
        )
        argument, unit = ("duration", "tau") if x is self.duration else ("size", "1")
        number, position, value = total
        return Curve(
            name, definition, argument, position / number, value / number, error, unit, "1",
            {"gap": self.gap},
        )  # fmt: skip


def whole_edges(largest: int) -> NDArray[np.float64]:
    """Return edges between whole numbers, from 1/2 on, evenly in the logarithm where they can."""
    steps = np.arange(int(PER_DECADE * np.log10(largest)) + 1) / PER_DECADE
    return np.append(np.unique(np.floor(10.0**steps)), largest + 1) - 0.5


def bursts(events: Events, shape: tuple[int, int], gap: float) -> tuple[NDArray, NDArray, NDArray]:
    """Return sizes, numbers of distinct sites and durations of the bursts of one log."""
    order = np.argsort(events.start, kind="stable")
    start = events.start[order]
    site = events.x[order].astype(np.int64) * shape[1] + events.y[order]
    number = np.concatenate([[0], np.cumsum(np.diff(start) > gap)])  # of the burst of each event
    count = int(number[-1]) + 1 if len(start) else 0
    if count < 3:  # the first and the last one may be cut
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    first = np.searchsorted(number, np.arange(count))
    last = np.append(first[1:], len(start)) - 1
    pairs = np.unique(number * (shape[0] * shape[1]) + site) // (shape[0] * shape[1])
    sites = np.bincount(pairs, minlength=count)
    inner = slice(1, count - 1)
    return (last - first + 1)[inner], sites[inner], (start[last] - start[first])[inner]


def measure_avalanches(
    logs: Sequence[Events], shape: tuple[int, int], gap: float
) -> Avalanches | None:
    """Return the avalanches of replicas; None where there are fewer than blocks."""
    found = [bursts(events, shape, gap) for events in logs]
    number = [len(size) for size, _, _ in found]
    if sum(number) < BLOCKS or min(number) == 0:
        return None
    if len(logs) == 1:
        block = np.arange(number[0]) * BLOCKS // number[0]
    else:
        block = np.repeat(np.arange(len(logs)), number)
    size, sites, duration = (np.concatenate(part) for part in zip(*found, strict=True))
    return Avalanches(size, sites, duration, block, gap)
