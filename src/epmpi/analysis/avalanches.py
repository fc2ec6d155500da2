"""Avalanches: bursts in the log of events, with their sizes, durations and distinct sites.

Their size S is the number of events, their duration the time from the first to the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.blocks import jackknifed, jackknifed_counts, without_one
from epmpi.analysis.bursts import Bursts, below_threshold, between_pauses
from epmpi.analysis.curve import Curve, FittedLaw, with_errors
from epmpi.analysis.events import Events
from epmpi.analysis.waiting_times import WaitingTimes

BLOCKS = 16
PER_DECADE = 8  # bins of sizes and durations
KINDS = {
    "gap": "a burst of events each at most `gap` (tau) after the one before",
    "threshold": "an event of a site at least `threshold` (yield stresses) from its own threshold, "
    "with all that follow, of sites nearer than that",
}
SIZES = (
    "P(S): probability of an avalanche of S events, {kind}; over logarithmic bins, divided by the "
    "number of whole S in each; mean: <S>; cutoff: <S^2>/<S>; pause: mean time (tau) from the last "
    "event before an avalanche to its first one"
)
DURATION = (
    "mean size S of the avalanches of a duration, from the first to the last event; an avalanche "
    "is {kind}"
)
DISTINCT = "mean number of distinct sites in the avalanches of a size S; an avalanche is {kind}"
LAW = "P(S) = A S^-x exp(-S/S_c)"


@dataclass(frozen=True)
class Avalanches:
    """Bursts of events, in order of time, replica after replica.

    Attributes
    ----------
    block : int array, shape (bursts,)
        The block of time, or the replica, that each belongs to, for errors.
    kind : str
        What separates them: "gap", or "threshold".
    limit : float
        The longest time between two events, in tau; or the threshold x0, in yield stresses.
    name : str
        Begins the names of the curves.
    """

    bursts: Bursts
    block: NDArray[np.int64]
    kind: str
    limit: float
    name: str

    def __len__(self) -> int:
        return len(self.bursts.size)

    def distribution(self) -> Curve:
        """Return P(S); bins without an avalanche are left out."""
        edges = whole_edges(int(self.bursts.size.max()))
        counts, width = self._counts(self.bursts.size, edges), np.diff(edges)

        def density(numbers: NDArray) -> NDArray:
            return np.asarray(numbers / (numbers.sum() * width))

        value, error = jackknifed_counts(density, counts)
        seen, middle = value > 0, np.sqrt(edges[1:] * edges[:-1])
        parameters = {self.kind: self.limit, "number": float(len(self)), **self._moments()}
        return Curve(
            f"{self.name}_sizes", SIZES.format(kind=KINDS[self.kind]), "size",
            middle[seen], value[seen], error[seen], "1", "1", parameters,
        )  # fmt: skip

    def _moments(self) -> dict[str, float]:
        """Return <S>, <S^2>/<S> and the mean pause, with their errors."""
        size = self.bursts.size.astype(np.float64)
        sums = np.stack(
            [np.bincount(self.block, one) for one in (size**0, size, size**2, self.bursts.pause)],
            axis=1,
        )

        def moments(sums: NDArray) -> NDArray:
            return np.array([sums[1] / sums[0], sums[2] / sums[1], sums[3] / sums[0]])

        return with_errors(("mean", "cutoff", "pause"), *jackknifed_counts(moments, sums))

    def fit(self, smallest: float = 1.0) -> FittedLaw | None:
        """Fit P(S) = A S^-x exp(-S/S_c), in logarithms, from a size on; None for too few bins."""
        edges = whole_edges(int(self.bursts.size.max()))
        found = WaitingTimes(edges, self._counts(self.bursts.size, edges)).fit(smallest)
        return None if found is None else replace(found, law=LAW)

    def size_of_duration(self) -> Curve | None:
        """Return the mean size of avalanches of a duration; those of one event are left out."""
        size, duration = self.bursts.size, self.bursts.duration
        longer = duration > 0
        if not longer.any():
            return None
        low, high = (np.log10(f(duration[longer])) for f in (np.min, np.max))
        bins = int(PER_DECADE * (high - low)) + 1
        edges = 10.0 ** np.linspace(low, high + 1e-9, bins + 1)
        return self._means("durations", DURATION, duration, size, edges, longer)

    def sites_of_size(self) -> Curve:
        """Return the mean number of distinct sites of avalanches of a size."""
        size, sites = self.bursts.size, self.bursts.sites
        edges, every = whole_edges(int(size.max())), np.ones(len(self), bool)
        return self._means("sites", DISTINCT, size, sites, edges, every)

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
        argument, unit = ("duration", "tau") if x is self.bursts.duration else ("size", "1")
        number, position, value = total
        return Curve(
            f"{self.name}_{name}", definition.format(kind=KINDS[self.kind]), argument,
            position / number, value / number, error, unit, "1", {self.kind: self.limit},
        )  # fmt: skip


def whole_edges(largest: int) -> NDArray[np.float64]:
    """Return edges between whole numbers, from 1/2 on, evenly in the logarithm where they can."""
    steps = np.arange(int(PER_DECADE * np.log10(largest)) + 1) / PER_DECADE
    return np.append(np.unique(np.floor(10.0**steps)), largest + 1) - 0.5


def measure_avalanches(
    logs: Sequence[Events], shape: tuple[int, int], gap: float
) -> Avalanches | None:
    """Return the bursts between pauses of replicas; None where there are fewer than blocks."""
    return _gathered([between_pauses(events, shape, gap) for events in logs], "gap", gap)


def measure_threshold_avalanches(
    logs: Sequence[Events], shape: tuple[int, int], threshold: float, name: str
) -> Avalanches | None:
    """Return the bursts below a threshold x0 of replicas; None where there are fewer than blocks.

    The threshold is a distance, in yield stresses; their curves have names that begin alike.
    """
    found = [below_threshold(events, shape, threshold) for events in logs]
    return _gathered(found, "threshold", threshold, name)


def _gathered(
    found: Sequence[Bursts], kind: str, limit: float, name: str = "avalanche"
) -> Avalanches | None:
    """Return the bursts of replicas in blocks of equally many, or by replicas."""
    number = [len(bursts.size) for bursts in found]
    if sum(number) < BLOCKS or min(number) == 0:
        return None
    if len(found) == 1:
        block = np.arange(number[0]) * BLOCKS // number[0]
    else:
        block = np.repeat(np.arange(len(found)), number)
    bursts = Bursts(*(np.concatenate(part) for part in zip(*found, strict=True)))
    return Avalanches(bursts, block, kind, limit, name)
