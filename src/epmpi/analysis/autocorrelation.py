"""Two-time autocorrelations: of tracer displacements, C_u(t), and of stress, C_sigma(t)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.blocks import leave_one_out
from epmpi.analysis.curve import Curve, average_function
from epmpi.analysis.lags import Lag, partners
from epmpi.analysis.pooling import Sums
from epmpi.analysis.run_file import Clock

DISPLACEMENT = (
    "C_u(t) = <u(t0+t).u(t0)> / <u.u>, u(t0) = r(t0 + unit) - r(t0) of the same tracer, over "
    "tracers and sliding origins; unit = 1 tau; no drift is removed"
)
STRESS = (
    "C_sigma(t) = (<sigma(r,t0+t) sigma(r,t0)> - m^2) / (<sigma^2> - m^2), over sites and sliding "
    "origins, m the mean stress of all sites and frames"
)

BLOCKS = 8  # of a run, each longer than the times over which C falls


class Autocorrelation(Sums):
    """Sums of v(t0+t).v(t0) over columns (tracers, sites), for each lag and origin.

    Parameters
    ----------
    samples : int
        Number of instants of v.
    lags : list of Lag
        Pairs of instants.
    pairs : Lag, optional
        Pairs of frames, one for each instant: v is the displacement between them.
    """

    def __init__(self, samples: int, lags: list[Lag], pairs: Lag | None = None) -> None:
        self.lags = lags
        self.pairs = pairs
        self.sums = [np.zeros(lag.count) for lag in lags]
        # The last two: v.v and v of each instant.
        self.sums += [np.zeros(samples), np.zeros(samples)]

    def add(self, values: NDArray[np.float64]) -> None:
        """Add v, or positions, shape (samples, columns) or (samples, columns, components)."""
        self.columns += values.shape[1]
        if self.pairs is not None:
            values = values[self.pairs.ends] - values[self.pairs.origins]
        flat = np.ascontiguousarray(values).reshape(len(values), -1)
        for lag, total in zip(self.lags, self.sums, strict=False):
            total += np.vecdot(flat[lag.origins], flat[lag.ends])
        self.sums[-2] += np.vecdot(flat, flat)
        self.sums[-1] += flat.sum(axis=1)

    def result(self, name: str, definition: str, subtract_mean: bool) -> Curve:
        """Return C(t) without C(0) = 1, with jackknife errors of the ratio.

        Parameters
        ----------
        name, definition : str
            Of the curve.
        subtract_mean : bool
            Whether the square of the mean of v is subtracted.
        """
        square, mean = self.sums[-2] / self.columns, self.sums[-1] / self.columns
        offset = mean if subtract_mean else np.zeros_like(mean)

        def normalised(product: float, square: float, mean: float) -> float:
            return (product - mean**2) / (square - mean**2)

        points = [
            average_function(
                normalised, product / self.columns, square, offset, replicas=self.replicas
            )
            for product in self.sums[: len(self.lags)]
        ]
        value, error = np.array(points, dtype=np.float64).reshape(-1, 2).T
        lag = np.array([lag.time for lag in self.lags])
        variance = float(np.mean(square) - np.mean(offset) ** 2)
        return Curve(
            name, definition, "lag", lag, value, error, "tau", parameters={"variance": variance},
            left_out=self._left_out(subtract_mean),
        )  # fmt: skip

    def _left_out(self, subtract_mean: bool) -> NDArray[np.float64]:
        """Return C(t) with each block of the run left out in turn, shape (blocks, lags)."""
        blocks = self.replicas if self.replicas > 1 else BLOCKS
        means = leave_one_out([sums / self.columns for sums in self.sums], blocks)
        products, square, mean = means[:, :-2], means[:, -2:-1], means[:, -1:]
        offset = mean**2 if subtract_mean else 0.0
        with np.errstate(divide="ignore", invalid="ignore"):  # where nothing moves
            return np.asarray((products - offset) / (square - offset))


def unit_displacements(clock: Clock, unit: float) -> tuple[Clock, Lag] | None:
    """Return the frames that have another one a unit of time later, and their clock.

    None where no two frames are that far apart, to half a step.
    """
    span = clock.step[-1] - clock.step[0]
    step = (clock.time[-1] - clock.time[0]) / span
    ahead = round(unit / step)
    if ahead < 1 or abs(ahead * step - unit) > 1e-6 * unit:
        return None
    first, end = partners(clock.step, ahead)
    if first.size < 2:
        return None
    origins = Clock(clock.step[first], clock.time[first], clock.origin_every)
    return origins, Lag(unit, first, end, first.size)
