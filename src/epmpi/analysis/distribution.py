"""Counts in bins, and with them distributions of tracer displacements: P(u), van Hove function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.blocks import jackknife_error, without_one
from epmpi.analysis.curve import Curve
from epmpi.analysis.lags import Lag
from epmpi.analysis.pooling import Sums

EDGES = np.geomspace(1e-6, 1e2, 8 * 12 + 1)  # lattice spacings, 12 bins a decade
BLOCKS = 16  # of origins or frames, for the error bars

UNIT = (
    "P(u): probability density of u = |r(t0 + unit) - r(t0)|, unit = 1 tau, over tracers and "
    "sliding origins; normalised to 1 with the values outside the bins counted in; errors from 16 "
    "blocks of origins, or from replicas"
)
VAN_HOVE = (
    "self part of the van Hove function, G_s(r,t) = P(r,t)/(2 pi r), P the density of |r(t0+t) - "
    "r(t0)|; integral of 2 pi r G_s over r is 1; errors from 16 blocks of origins, or from "
    "replicas"
)


class Histogram(Sums):
    """Counts of values in bins, for each block of samples.

    Parameters
    ----------
    edges : array, shape (bins + 1,)
        Increasing.
    samples : int
        Number of origins or frames.

    Attributes
    ----------
    sums : list of one int array, shape (blocks, bins + 2)
        The first and the last column: below and above all bins.
    """

    def __init__(self, edges: NDArray[np.float64], samples: int) -> None:
        self.edges = edges
        self.sums = [np.zeros((min(BLOCKS, samples), edges.size + 1), dtype=np.int64)]

    def add(self, values: NDArray[np.float64]) -> None:
        """Add the values of a few tracers or sites, shape (samples, columns)."""
        [counts] = self.sums
        for block, part in zip(counts, np.array_split(values, len(counts)), strict=True):
            found = np.searchsorted(self.edges, part.ravel(), side="right")
            block += np.bincount(found, minlength=self.edges.size + 1)

    def join(self, others: Sequence[Any]) -> None:
        """Make each replica a block: this one, and the others."""
        self.sums = [np.stack([one.sums[0].sum(axis=0) for one in (self, *others)])]

    def density(
        self,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]:
        """Return the probability density in the bins; see `density_with_error`."""
        [counts] = self.sums
        return density_with_error(counts[:, 1:-1], self.edges, counts.sum(axis=1))


class DisplacementDistribution(Histogram):
    """Counts of |r(t0+t) - r(t0)| in logarithmic bins, in lattice spacings."""

    def __init__(self, lag: Lag, edges: NDArray[np.float64] = EDGES) -> None:
        super().__init__(edges, lag.count)
        self.lag = lag

    def add(self, strip: NDArray[np.float64]) -> None:
        """Add the trajectories of a few tracers, shape (frames, tracers, 2), lattice spacings."""
        moved = strip[self.lag.ends] - strip[self.lag.origins]
        super().add(np.hypot(moved[..., 0], moved[..., 1]))

    def result(self, name: str, definition: str, *, radial: bool = False) -> Curve:
        """Return the density of the lengths, or with `radial` that of positions in the plane.

        Bins without a count are left out.
        """
        density, error, left_out = self.density()
        centre = np.sqrt(self.edges[1:] * self.edges[:-1])
        seen = density > 0
        around = 2 * np.pi * centre[seen] if radial else 1.0
        unit = "1/lattice spacing^2" if radial else "1/lattice spacing"
        return Curve(
            name,
            definition,
            "distance",
            centre[seen],
            density[seen] / around,
            error[seen] / around,
            "lattice spacing",
            unit,
            {"lag": self.lag.time},
            None if left_out is None else left_out[:, seen] / around,
        )


def density_with_error(
    counts: NDArray[np.int64], edges: NDArray[np.float64], total: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]:
    """Return a probability density from counts by block, and its error.

    Parameters
    ----------
    counts : int array, shape (blocks, bins)
    edges : array, shape (bins + 1,)
    total : int array, shape (blocks,)
        All counts of a block, including those outside the bins.

    Returns
    -------
    density, error : arrays, shape (bins,)
        The error is the jackknife over blocks; nan with one block.
    left_out : array, shape (blocks, bins), or None
        The density with each block left out in turn; None with one block.
    """
    width = np.diff(edges)
    density = counts.sum(axis=0) / (total.sum() * width)
    if len(counts) < 2:
        return density, np.full(density.shape, np.nan), None
    left_out = without_one(counts) / (without_one(total)[:, None] * width)
    return density, jackknife_error(left_out), left_out
