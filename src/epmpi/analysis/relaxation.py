"""Fits of the dynamical structure factor, and the relaxation time of each wavevector."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import e

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.blocks import jackknifed, leave_one_out
from epmpi.analysis.curve import Curve
from epmpi.analysis.fits import CURVE, deviations, fit_curved, solve_linear
from epmpi.analysis.regimes import Window
from epmpi.analysis.structure_factor import StructureFactor

FLOORS = 20.0  # fitted values lie above this many times the floor 1/(2M) ...
LOWEST = 0.02  # ... and above this
FEWEST_POINTS = 6

FIT_DEFINITION = (
    "S(q,t)/S(q,0) = exp(-alpha (q^n t)^gamma), alpha, n and gamma common to all q of one time "
    f"window; least squares on S, weights from its errors (relative error of -ln S: {CURVE:g} "
    f"at least); points with S/S(0) above {LOWEST:g} and above {FLOORS:g}/(2M); errors by "
    "jackknife over blocks of origins, or over replicas"
)
TIME_DEFINITION = (
    "tau_r(q): S(q,tau_r)/S(q,0) = 1/e, interpolated in ln(-ln S) against ln t; nan where S does "
    "not fall that far within the lags"
)


@dataclass(frozen=True)
class CollapseFit:
    """Fit of exp(-alpha (q^n t)^gamma) to all q of one time window.

    Attributes
    ----------
    window : Window
        Lags that were fitted, in tau.
    q_range, value_range : tuple of float
        Smallest and largest |q|, and S/S(0), among the fitted points.
    points : int
        Number of fitted points.
    alpha, n, gamma, alpha_error, n_error, gamma_error : float
        With q in inverse lattice spacings and t in tau.
    deviation : float
        Root mean square of ln(-ln S) minus its fit: the relative misfit of -ln S.
    """

    window: Window
    q_range: tuple[float, float]
    value_range: tuple[float, float]
    points: int
    alpha: float
    n: float
    gamma: float
    alpha_error: float
    n_error: float
    gamma_error: float
    deviation: float

    def curve(self, q: float, lag: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the fitted S(q,t)/S(q,0)."""
        return np.exp(-self.alpha * (q**self.n * lag) ** self.gamma)


def usable_points(factor: StructureFactor, window: Window) -> NDArray[np.bool_]:
    """Tell which points of S(q,t) a fit may use: those in the window, well above the floor."""
    high = (factor.value > max(LOWEST, FLOORS * factor.floor)) & (factor.value < 1)
    return high & window.contains(factor.lag)


def without_blocks(
    factor: StructureFactor, usable: NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    """Return S at usable points with each block of origins left out, shape (blocks, points).

    None where a point has origins for one block only.
    """
    blocks = int(factor.blocks[usable].min())
    if blocks < 2:
        return None
    points = zip(*np.nonzero(usable), strict=True)
    return leave_one_out([factor.by_origin[lag][shell] for shell, lag in points], blocks)


def fit_window(
    factor: StructureFactor,
    window: Window,
    n: float | None = None,
    gamma: float | None = None,
) -> CollapseFit | None:
    """Fit exp(-alpha (q^n t)^gamma) to S(q,t)/S(q,0) in a window of lags.

    Parameters
    ----------
    n, gamma : float, optional
        Fixed values: n of the best collapse, or both of a theory.

    Returns
    -------
    CollapseFit or None
        None where there are fewer than `FEWEST_POINTS` points, or only one q or lag.
    """
    usable = usable_points(factor, window)
    shell, lag = np.nonzero(usable)
    if shell.size < FEWEST_POINTS or len(set(shell)) < 2 or len(set(lag)) < 2:
        return None
    log_q, log_t = np.log(factor.q[shell]), np.log(factor.lag[lag])
    value = factor.value[usable]
    sigma = deviations(factor.error[usable], value * np.log(value), CURVE)
    best, error = jackknifed(
        lambda row: _fit(log_q, log_t, row, sigma, n, gamma), value, without_blocks(factor, usable)
    )
    residual = np.log(-np.log(value)) - _exponent(log_q, log_t, *best)
    return CollapseFit(
        window=Window(window.name, float(factor.lag[lag].min()), float(factor.lag[lag].max())),
        q_range=(float(factor.q[shell].min()), float(factor.q[shell].max())),
        value_range=(float(value.min()), float(value.max())),
        points=shell.size,
        alpha=float(np.exp(best[0])),
        n=float(best[1]),
        gamma=float(best[2]),
        alpha_error=float(np.exp(best[0]) * error[0]),
        n_error=float(error[1]),
        gamma_error=float(error[2]),
        deviation=float(np.sqrt(np.mean(residual**2))),
    )


def relaxation_times(factor: StructureFactor) -> Curve:
    """Return the time tau_r(q) at which S(q,t)/S(q,0) falls to 1/e, with jackknife errors.

    In tau; nan where it is not reached.
    """
    value = np.array([crossing(factor.lag, row) for row in factor.value])
    error = np.full(value.size, np.nan)
    for number in np.flatnonzero(np.isfinite(value)):
        # Lags beyond the crossing are not needed, and have fewer blocks.
        near = np.flatnonzero(factor.lag <= 2 * value[number])
        if factor.value[number, near[-1]] > np.exp(-1):
            near = np.append(near, near[-1] + 1)
        chosen = np.zeros(factor.value.shape, dtype=np.bool_)
        chosen[number, near] = True
        _, error[number] = jackknifed(
            partial(crossing, factor.lag[near]),
            factor.value[chosen],
            without_blocks(factor, chosen),
        )
    unit = "1/lattice spacing"
    return Curve("relaxation_time", TIME_DEFINITION, "q", factor.q, value, error, unit, "tau")


def _exponent(
    log_q: NDArray[np.float64], log_t: NDArray[np.float64], log_alpha: float, n: float, gamma: float
) -> NDArray[np.float64]:
    """Return ln(-ln S) = ln alpha + gamma (n ln q + ln t)."""
    return log_alpha + gamma * (n * log_q + log_t)


def _fit(
    log_q: NDArray[np.float64],
    log_t: NDArray[np.float64],
    value: NDArray[np.float64],
    sigma: NDArray[np.float64],
    n: float | None,
    gamma: float | None,
) -> NDArray[np.float64]:
    """Return (ln alpha, n, gamma) by least squares, nan where they cannot be found."""
    if not ((value > 0) & (value < 1)).all():
        return np.full(3, np.nan)
    # The model is linear in ln(-ln S): its regression is the starting point.
    columns = np.stack([np.ones_like(log_q), log_q, log_t], axis=1)
    log_alpha, slope, power = solve_linear(columns, np.log(-np.log(value)))
    held = np.array([np.nan, np.nan if n is None else n, np.nan if gamma is None else gamma])
    free = np.isnan(held)
    start = np.array([log_alpha, slope / power, power])

    def complete(chosen: NDArray[np.float64]) -> NDArray[np.float64]:
        parameters = held.copy()
        parameters[free] = chosen
        return parameters

    def law(*chosen: float) -> NDArray[np.float64]:
        return np.exp(-np.exp(_exponent(log_q, log_t, *complete(np.array(chosen)))))

    found = fit_curved(law, start[free].tolist(), value, sigma)
    return np.full(3, np.nan) if found is None else complete(found.value)


def crossing(lag: NDArray[np.float64], value: NDArray[np.float64], level: float = 1 / e) -> float:
    """Return the lag at which a decay first falls to a level, or nan.

    Interpolated in ln(-ln C) against ln t.
    """
    below = np.flatnonzero(value <= level)
    if below.size == 0 or below[0] == 0:
        return float("nan")
    pair = slice(below[0] - 1, below[0] + 1)
    if not ((value[pair] > 0) & (value[pair] < 1)).all():
        return float("nan")
    y, x = np.log(-np.log(value[pair])), np.log(lag[pair])
    at = (np.log(-np.log(level)) - y[0]) / (y[1] - y[0])
    return float(np.exp(x[0] + at * (x[1] - x[0])))
