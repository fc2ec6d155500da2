"""Mean square displacement and time-dependent diffusion coefficient of the tracers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.blocks import block_average
from epmpi.analysis.lags import Lag
from epmpi.analysis.pooling import Sums

DEFINITION = (
    "D(t) = <|r_i(t0+t) - r_i(t0)|^2> / (4 t), over all tracers i and sliding origins t0; "
    "no drift is removed"
)


@dataclass(frozen=True)
class Diffusion:
    """D(t) of a trajectory; all arrays have shape (lags,).

    Attributes
    ----------
    lag : array
        t, in tau.
    square, square_error : array
        Mean square displacement and its error, in squared lattice spacings.
    coefficient, coefficient_error : array
        D(t) = square / (4 t) and its error.
    origins, blocks : array of int
        Number of origins t0, and of blocks of origins that the error comes from.
    resolved : array of bool
        Whether there are enough origins for the error bar (see `blocks`).
    by_origin : list of arrays
        Per lag, the squared displacement averaged over tracers for each origin.
    """

    lag: NDArray[np.float64]
    square: NDArray[np.float64]
    square_error: NDArray[np.float64]
    coefficient: NDArray[np.float64]
    coefficient_error: NDArray[np.float64]
    origins: NDArray[np.int64]
    blocks: NDArray[np.int64]
    resolved: NDArray[np.bool_]
    by_origin: list[NDArray[np.float64]]


class SquaredDisplacement(Sums):
    """Sums of |r(t0+t) - r(t0)|^2 over tracers, strip by strip, for each origin and lag.

    Memory: one number per origin and lag.
    """

    def __init__(self, lags: list[Lag]) -> None:
        self.lags = lags
        self.sums = [np.zeros(lag.count) for lag in lags]

    def add(self, strip: NDArray[np.float64]) -> None:
        """Add the trajectories of a few tracers, shape (frames, tracers, 2), lattice spacings."""
        self.columns += strip.shape[1]
        for lag, total in zip(self.lags, self.sums, strict=True):
            # Differences, not positions, are squared: unwrapped positions grow without bound.
            moved = (strip[lag.ends] - strip[lag.origins]).reshape(lag.count, -1)
            total += np.vecdot(moved, moved)

    def result(self) -> Diffusion:
        """Return D(t) with error bars from blocks of origins, or from replicas."""
        by_origin = [total / self.columns for total in self.sums]
        averages = [block_average(values, self.replicas) for values in by_origin]
        lag = np.array([lag.time for lag in self.lags])
        square = np.array([average.value for average in averages])
        error = np.array([average.error for average in averages])
        return Diffusion(
            lag=lag,
            square=square,
            square_error=error,
            coefficient=square / (4 * lag),
            coefficient_error=error / (4 * lag),
            origins=np.array([average.samples for average in averages]),
            blocks=np.array([average.blocks for average in averages]),
            resolved=np.array([average.resolved for average in averages]),
            by_origin=by_origin,
        )
