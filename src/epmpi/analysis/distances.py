"""Distances from the threshold, x = sigma_Y - |sigma|: of all sites, P(x), and of the weakest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.blocks import jackknifed_counts
from epmpi.analysis.curve import Curve, FittedLaw, with_errors
from epmpi.analysis.distribution import BLOCKS, Histogram, density_with_error
from epmpi.analysis.events import Events
from epmpi.analysis.fits import CURVE, deviations, solve_linear

PER_DECADE = 8
EDGES = np.geomspace(1e-5, 10.0, 6 * PER_DECADE + 1)  # yield stresses
LARGEST = 0.1  # x that theta is fitted up to: beyond, P(x) turns over
WEAKEST_SITES = 10  # of a lattice, which the fit leaves out: their number is not a density
FEWEST = 10  # sites in a bin of the fit
BINS = 64  # of the weakest
DISTRIBUTION = (
    "P(x): probability density of the distance x = sigma_Y - |sigma| of a site from its threshold, "
    "over sites and frames, in yield stresses; normalised to 1 with the values outside the bins "
    "counted in; errors from 16 blocks of frames, or from replicas"
)
LAW = "P(x) = A x^theta"
WEAKEST = (
    "probability density of the distance from its threshold of each site that yields, just before, "
    "the smallest of all with the extremal driver; mean: that of all events"
)


class DistanceDistribution(Histogram):
    """Counts of the distances of all sites of a run in logarithmic bins, in yield stresses."""

    def __init__(self, frames: int, sites: int) -> None:
        super().__init__(EDGES, frames)
        self.sites = sites

    def result(self) -> Curve:
        """Return P(x); bins without a site are left out."""
        counts = self.sums[0]
        density, error, left_out = self.density()
        seen, centre = density > 0, np.sqrt(EDGES[1:] * EDGES[:-1])
        return Curve(
            "distance_distribution", DISTRIBUTION, "distance", centre[seen], density[seen],
            error[seen], "yield stress", "1/yield stress",
            {"beyond": float(counts[:, 0].sum() / counts.sum())},
            None if left_out is None else left_out[:, seen],
        )  # fmt: skip

    def fit(self) -> FittedLaw | None:
        """Fit P(x) = A x^theta in logarithms up to `LARGEST`; None for too few bins.

        From the distance on that `WEAKEST_SITES` of a lattice are below.  The error is that of a
        jackknife over blocks: bins are correlated.
        """
        counts, centre = self.sums[0][:, 1:-1], np.sqrt(EDGES[1:] * EDGES[:-1])
        total = counts.sum(axis=0)
        below = np.cumsum(self.sums[0].sum(axis=0))[:-1] / self.sums[0].sum() * self.sites
        few = int(np.searchsorted(below, WEAKEST_SITES))
        smallest = EDGES[min(few, EDGES.size - 1)]
        used = (total >= FEWEST) & (EDGES[:-1] >= smallest) & (EDGES[1:] <= LARGEST * (1 + 1e-9))
        if used.sum() < PER_DECADE // 2:
            return None
        x, width = centre[used], np.diff(EDGES)[used]
        sigma = deviations(1 / np.sqrt(total[used]), np.ones_like(x), CURVE)  # of ln P
        columns = np.stack([np.ones_like(x), np.log(x)], axis=1)

        def solve(numbers: NDArray) -> NDArray:
            density = np.maximum(numbers[used], 0.5) / width
            return solve_linear(columns, np.log(density), sigma)[1:]

        value, error = jackknifed_counts(solve, counts)
        return FittedLaw(LAW, ("theta",), value, error, (float(x[0]), float(x[-1])))


def measure_weakest(logs: Sequence[Events]) -> Curve:
    """Return the distribution of the distances of the sites that yield, of replicas."""
    distances = [
        np.asarray(events.distance, np.float64)[np.argsort(events.start, kind="stable")]
        for events in logs
    ]
    parts = np.array_split(distances[0], BLOCKS) if len(logs) == 1 else distances
    low, high = (f([f(part) for part in distances]) for f in (np.min, np.max))
    edges = np.linspace(low, high + 1e-9 + 1e-9 * abs(high), BINS + 1)
    counts = np.array([np.histogram(part, edges)[0] for part in parts])
    value, error, _ = density_with_error(counts, edges, counts.sum(axis=1))
    sums = np.array([[part.sum(), len(part)] for part in parts])
    mean = with_errors(["mean"], *jackknifed_counts(lambda one: one[0] / one[1], sums))
    return Curve(
        "weakest_distance", WEAKEST, "distance", (edges[1:] + edges[:-1]) / 2, value, error,
        "yield stress", "1/yield stress", mean,
    )  # fmt: skip
