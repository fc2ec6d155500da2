"""Exponent n of tau_r ~ q^-n: the best collapse of S(q,t) on q^n t, and its local value.

The measure of a collapse (S. M. Bhattacharjee and F. Seno, J. Phys. A 34, 6375 (2001)): with y =
ln(-ln S) and x = ln t + n ln q, every curve is interpolated linearly at the points of every other
one that lie within its range,

    P(n) = [ sum (y_ij - Y_k(x_ij))^2 / number of such points ]^(1/2),

over curves j != k and points i of curve j; n minimises P.  P is the relative misfit of -ln S.  Any
function of q^n t has P = 0, so n, unlike that of a fit, does not depend on a stretched exponential.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from epmpi.analysis.blocks import jackknifed
from epmpi.analysis.curve import Curve
from epmpi.analysis.regimes import Window
from epmpi.analysis.relaxation import usable_points, without_blocks
from epmpi.analysis.structure_factor import StructureFactor

RANGE = (0.3, 5.0)  # in which n is sought
FEWEST_OVERLAPS = 4
NO_OVERLAP = 1e6  # finite, because the search evaluates it

DEFINITION = (
    "n minimises P(n) = rms of y_ij - Y_k(x_ij) over all pairs of curves j, k of one time window, "
    "y = ln(-ln S), x = ln(q^n t), Y_k linearly interpolated; P is the relative misfit of -ln S; "
    "errors by jackknife over blocks of origins, or over replicas"
)
LOCAL = (
    "n(q) = -d ln tau_r / d ln q, central differences between neighbouring moduli; errors as of "
    "independent points: too large where the moduli fluctuate together"
)


@dataclass(frozen=True)
class Collapse:
    """The best collapse of one window.

    Attributes
    ----------
    misfit : float
        P(n) at its minimum.
    overlaps : int
        Number of points in the sum.
    """

    window: Window
    n: float
    error: float
    misfit: float
    overlaps: int


def best_collapse(factor: StructureFactor, window: Window) -> Collapse | None:
    """Find the exponent n of the best collapse in a window of lags.

    Returns None where the curves do not overlap enough.
    """
    usable = usable_points(factor, window)
    shell, lag = np.nonzero(usable)
    if len(set(shell)) < 2:
        return None
    log_q, log_t = np.log(factor.q), np.log(factor.lag)

    def solve(value: NDArray[np.float64]) -> tuple[float, float, int]:
        """Return n, P(n) and the number of overlaps."""
        if not ((value > 0) & (value < 1)).all():
            return float("nan"), float("nan"), 0
        y = np.log(-np.log(value))
        curves = [(log_q[j], log_t[lag[shell == j]], y[shell == j]) for j in np.unique(shell)]
        if not any(_misfit(curves, n)[1] for n in np.linspace(*RANGE, 20)):
            return float("nan"), float("nan"), 0
        found = minimize_scalar(lambda n: _misfit(curves, n)[0], bounds=RANGE, method="bounded")
        misfit, overlaps = _misfit(curves, float(found.x))
        return float(found.x), misfit, overlaps

    left_out = without_blocks(factor, usable)
    (n, misfit, overlaps), (error, *_) = jackknifed(solve, factor.value[usable], left_out)
    if overlaps < FEWEST_OVERLAPS or not np.isfinite(misfit):
        return None
    return Collapse(window, float(n), float(error), float(misfit), int(overlaps))


def _misfit(curves: list[tuple[float, NDArray, NDArray]], n: float) -> tuple[float, int]:
    """Return P(n) and the number of points in its sum; huge where nothing overlaps."""
    total, count = 0.0, 0
    for j, (q_j, t_j, y_j) in enumerate(curves):
        x = t_j + n * q_j
        for k, (q_k, t_k, y_k) in enumerate(curves):
            reference = t_k + n * q_k
            if j == k or reference.size < 2:
                continue
            inside = (x >= reference[0]) & (x <= reference[-1])
            difference = y_j[inside] - np.interp(x[inside], reference, y_k)
            total += float(difference @ difference)
            count += int(inside.sum())
    return (float(np.sqrt(total / count)), count) if count else (NO_OVERLAP, 0)


def local_q_exponent(relaxation: Curve) -> Curve:
    """Return n(q) = -d ln tau_r / d ln q at the geometric means of neighbouring moduli."""
    known = np.isfinite(relaxation.value)
    log_q, log_time = np.log(relaxation.x[known]), np.log(relaxation.value[known])
    relative = relaxation.error[known] / relaxation.value[known]
    width = np.diff(log_q)
    return Curve(
        "local_q_exponent",
        LOCAL,
        "q",
        np.exp((log_q[1:] + log_q[:-1]) / 2),
        -np.diff(log_time) / width,
        np.hypot(relative[1:], relative[:-1]) / width,
        "1/lattice spacing",
    )
