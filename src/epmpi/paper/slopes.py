"""Exponents of power laws in a stated range."""

from __future__ import annotations

import numpy as np

from epmpi.analysis.blocks import jackknifed
from epmpi.analysis.curve import Curve
from epmpi.analysis.fits import CURVE, deviations, solve_linear

FEWEST = 4


def power_of(curve: Curve, start: float, stop: float) -> tuple[float, float]:
    """Fit ln y = c + exponent ln x for start <= x <= stop to the points of a curve.

    Returns
    -------
    exponent, error : float
        nan with fewer than four points; the error is nan too without the curve's `left_out`.
    """
    used = (curve.x >= start) & (curve.x <= stop) & (curve.value > 0)
    used &= np.isfinite(curve.error) & (curve.error < curve.value)
    if used.sum() < FEWEST:
        return float("nan"), float("nan")
    part = curve.part(used)
    columns = np.stack([np.ones_like(part.x), np.log(part.x)], axis=1)
    sigma = deviations(part.error, part.value, CURVE) / part.value

    def exponent(value: np.ndarray) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(solve_linear(columns, np.log(value), sigma)[1])

    value, error = jackknifed(exponent, part.value, part.left_out)
    return float(value), float(error)
