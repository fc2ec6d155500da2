"""Beyond the mean square displacement: non-Gaussian parameter, overlap and four-point function."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.curve import Curve, average_function
from epmpi.analysis.lags import Lag
from epmpi.analysis.pooling import Sums

REACH = 0.5  # lattice spacings: a tracer that moved less counts as where it was

ALPHA_2 = (
    "alpha_2(t) = <dr^4> / (2 <dr^2>^2) - 1 in two dimensions; 0 for Gaussian displacements; over "
    "tracers and sliding origins"
)
OVERLAP = f"Q(t) = <(1/M) sum_i [|r_i(t0+t) - r_i(t0)| < {REACH:g} lattice spacings]>"
CHI_4 = (
    "chi_4(t) = M (<Q^2> - <Q>^2), variance over origins of the overlap Q of all M tracers; "
    "Q (1 - Q) where tracers are independent"
)


class DisplacementShape(Sums):
    """Sums of |dr|^2, |dr|^4 and the overlap over tracers, for each origin and lag."""

    def __init__(self, lags: list[Lag]) -> None:
        self.lags = lags
        self.sums = [np.zeros((3, lag.count)) for lag in lags]

    def add(self, strip: NDArray[np.float64]) -> None:
        """Add the trajectories of a few tracers, shape (frames, tracers, 2), lattice spacings."""
        self.columns += strip.shape[1]
        for lag, total in zip(self.lags, self.sums, strict=True):
            moved = strip[lag.ends] - strip[lag.origins]
            square = np.vecdot(moved, moved)
            total[0] += square.sum(axis=1)
            total[1] += np.vecdot(square, square)
            total[2] += (square < REACH**2).sum(axis=1)

    def result(self) -> list[Curve]:
        """Return alpha_2(t), Q(t) and chi_4(t) with jackknife errors."""
        lag = np.array([lag.time for lag in self.lags])
        number = self.columns
        columns: dict[str, list[tuple[float, float]]] = {"alpha_2": [], "overlap": [], "chi_4": []}
        for total in self.sums:
            square, fourth, overlap = total / number
            for name, function, series in (
                ("alpha_2", _alpha_2, (square, fourth)),
                ("overlap", lambda q: q, (overlap,)),
                ("chi_4", lambda q, qq: number * (qq - q * q), (overlap, overlap**2)),
            ):
                found = average_function(function, *series, replicas=self.replicas)
                columns[name].append(found)
        definitions = {"alpha_2": ALPHA_2, "overlap": OVERLAP, "chi_4": CHI_4}
        curves = []
        for name, points in columns.items():
            value, error = np.array(points, dtype=np.float64).reshape(-1, 2).T
            curves.append(Curve(name, definitions[name], "lag", lag, value, error, "tau"))
        return curves


def _alpha_2(square: float, fourth: float) -> float:
    return fourth / (2 * square**2) - 1
