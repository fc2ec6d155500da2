"""Dynamical structure factor of the tracers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.blocks import block_average
from epmpi.analysis.lags import Lag
from epmpi.analysis.pooling import Sums
from epmpi.analysis.wavevectors import Shell

MOST_ORIGINS = 256  # sliding origins per lag

DEFINITION = (
    "S(q,t)/S(q,0), S(q,t) = (1/M) <[sum_n cos(q.(r_n(t0+t) - r_n(t0)))]^2> over sliding origins "
    "t0 and all wavevectors 2 pi k/L of modulus q; S(q,0) = M. For independent tracers with "
    "c(q) = <cos(q.dr)> it equals (1 - 1/M) c(q)^2 + (1 + c(2q))/(2M), and ends at 1/(2M)"
)


@dataclass(frozen=True)
class StructureFactor:
    """S(q,t)/S(q,0) of a trajectory.

    For Gaussian independent tracers c(q) = exp(-q^2 <|dr|^2>/4), so that Brownian motion gives
    exp(-2 D q^2 t): in exp(-alpha (q^n t)^gamma) alpha = 2 D.  The self term (1 + c(2q))/(2M) is
    part of the definition and stays in; it is the floor that S falls to.

    Attributes
    ----------
    q : array, shape (shells,)
        Moduli, in inverse lattice spacings.
    lag : array, shape (lags,)
        t, in tau.
    value, error : array, shape (shells, lags)
        S(q,t)/M and its error.
    blocks, origins : array of int, shape (shells, lags) and (lags,)
    resolved : array of bool, shape (shells, lags)
    tracers : int
        M.
    by_origin : list of arrays
        Per lag, shape (shells, origins): the value of each origin.
    """

    q: NDArray[np.float64]
    shells: list[Shell]
    lag: NDArray[np.float64]
    value: NDArray[np.float64]
    error: NDArray[np.float64]
    blocks: NDArray[np.int64]
    origins: NDArray[np.int64]
    resolved: NDArray[np.bool_]
    tracers: int
    by_origin: list[NDArray[np.float64]]

    @property
    def floor(self) -> float:
        """Value at long times for independent tracers, 1/(2M)."""
        return 0.5 / self.tracers


class CosineSums(Sums):
    """Sums sum_n cos(q.dr_n) over tracers, strip by strip, for each wavevector, lag and origin.

    They are squared when all tracers are added, in `result`.  Each phase is computed once per
    frame: cos(q.(r' - r)) = cos(q.r') cos(q.r) + sin(q.r') sin(q.r).  Memory: one number per
    wavevector, lag and origin.
    """

    def __init__(self, lags: list[Lag], shells: list[Shell]) -> None:
        self.lags = lags
        self.shells = shells
        self.wavevectors = np.concatenate([shell.wavevectors for shell in shells])
        self.sums = [np.zeros((len(self.wavevectors), lag.count)) for lag in lags]

    def add(self, strip: NDArray[np.float64]) -> None:
        """Add the trajectories of a few tracers, shape (frames, tracers, 2), lattice spacings."""
        frames, tracers, _ = strip.shape
        self.columns += tracers
        # Far from the origin cos and sin would lose digits.
        strip = strip - strip[0]
        waves = np.empty((frames, 2 * tracers))
        for number, (qx, qy) in enumerate(self.wavevectors):
            phase = qx * strip[:, :, 0] + qy * strip[:, :, 1]
            np.cos(phase, out=waves[:, :tracers])
            np.sin(phase, out=waves[:, tracers:])
            for lag, total in zip(self.lags, self.sums, strict=True):
                total[number] += np.vecdot(waves[lag.origins], waves[lag.ends])

    def result(self) -> StructureFactor:
        """Return S(q,t)/M with error bars from blocks of origins, or from replicas."""
        sizes = [len(shell.wavevectors) for shell in self.shells]
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        by_origin = [
            np.add.reduceat((total / self.columns) ** 2, starts) / np.array(sizes)[:, None]
            for total in self.sums
        ]
        averages = [
            [block_average(values, self.replicas) for values in of_lag] for of_lag in by_origin
        ]
        grid = [list(row) for row in zip(*averages, strict=True)]
        return StructureFactor(
            q=np.array([shell.modulus for shell in self.shells]),
            shells=self.shells,
            lag=np.array([lag.time for lag in self.lags]),
            value=np.array([[average.value for average in row] for row in grid]),
            error=np.array([[average.error for average in row] for row in grid]),
            blocks=np.array([[average.blocks for average in row] for row in grid]),
            origins=np.array([lag.count for lag in self.lags]),
            resolved=np.array([[average.resolved for average in row] for row in grid]),
            tracers=self.columns,
            by_origin=by_origin,
        )
