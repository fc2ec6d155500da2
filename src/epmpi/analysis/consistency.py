"""Consistency of the fits of S(q,t) with the mean square displacement.

With c(q) = exp(-q^2 <dr^2>/4) for Gaussian displacements, S(q,t)/S(q,0) = exp(-q^2 <dr^2>/2):

- ballistic, <dr^2> = <v^2> t^2: exp(-alpha_b (q t)^2) with alpha_b = <v^2>/2, over the lags of
  regime I where the local exponent is at least 1.9;
- diffusive, <dr^2> = 4 D t: exp(-alpha_D q^2 t) with alpha_D = 2 D.

Both hold at small q.  At large q they fail where displacements are not Gaussian, and where S is
small: tracers move together, so that <[sum cos]^2> is above <sum cos>^2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epmpi.analysis.blocks import jackknifed, leave_one_out
from epmpi.analysis.curve import Curve
from epmpi.analysis.displacement import Diffusion
from epmpi.analysis.fits import CURVE, deviations, fit_mean
from epmpi.analysis.regimes import Window
from epmpi.analysis.relaxation import CollapseFit, fit_window
from epmpi.analysis.structure_factor import StructureFactor

STRAIGHT = 1.9  # least local exponent of motion that counts as ballistic


@dataclass(frozen=True)
class Comparison:
    """Two measured values that are equal in theory.

    Attributes
    ----------
    name, left, right : str
        What is compared.
    left_value, left_error, right_value, right_error : float
    """

    name: str
    left: str
    right: str
    left_value: float
    left_error: float
    right_value: float
    right_error: float

    @property
    def deviation(self) -> float:
        """Difference in units of the combined error (both come from one run: an upper bound)."""
        return (self.left_value - self.right_value) / np.hypot(self.left_error, self.right_error)


def velocity_variance(diffusion: Diffusion) -> tuple[float, float]:
    """Return <v^2> = <dr^2>/t^2 at the shortest lag, and its error."""
    square = diffusion.lag[0] ** 2
    return diffusion.square[0] / square, diffusion.square_error[0] / square


def long_time_coefficient(diffusion: Diffusion, window: Window) -> tuple[float, float]:
    """Return D, one value for all lags of regime III, and its jackknife error."""
    lags = np.flatnonzero(window.contains(diffusion.lag))
    times, value = diffusion.lag[lags], diffusion.coefficient[lags]
    sigma = deviations(diffusion.coefficient_error[lags], value, CURVE)
    blocks = int(diffusion.blocks[lags].min())
    left_out = None
    if blocks > 1:
        left_out = leave_one_out([diffusion.by_origin[lag] for lag in lags], blocks) / (4 * times)
    coefficient, error = jackknifed(lambda row: fit_mean(row, sigma).value[0], value, left_out)
    return float(coefficient), float(error)


def compare(
    diffusion: Diffusion,
    exponent: Curve,
    factor: StructureFactor,
    windows: list[Window],
) -> tuple[list[Comparison], list[CollapseFit]]:
    """Return the comparisons that a run allows, and the fits with the exponents of theory."""
    rows, fits = [], []
    for window in windows:
        if window.name == "I":
            fit = fit_window(factor, _straight_part(exponent, window), n=1.0, gamma=2.0)
            value, error = velocity_variance(diffusion)
            value, error, right = value / 2, error / 2, "<v^2>/2"
        elif window.name == "III":
            fit = fit_window(factor, window, n=2.0, gamma=1.0)
            value, error = long_time_coefficient(diffusion, window)
            value, error, right = 2 * value, 2 * error, "2 D"
        else:
            continue
        if fit is not None:
            name = "alpha_b" if window.name == "I" else "alpha_D"
            rows.append(Comparison(name, name, right, fit.alpha, fit.alpha_error, value, error))
            fits.append(fit)
    return rows, fits


def _straight_part(exponent: Curve, window: Window) -> Window:
    """Return the beginning of regime I, as long as the local exponent is at least `STRAIGHT`."""
    bent = np.flatnonzero(exponent.value < STRAIGHT)
    stop = exponent.x[max(bent[0] - 1, 0)] if bent.size else window.stop
    return Window(window.name, window.start, min(window.stop, float(stop)))
