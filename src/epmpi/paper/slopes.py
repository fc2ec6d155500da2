"""Exponents of power laws in a stated range."""

from __future__ import annotations

import numpy as np
from scipy.optimize import curve_fit

from epmpi.analysis.curve import Curve

FEWEST = 4


def power_of(curve: Curve, start: float, stop: float) -> tuple[float, float]:
    """Fit ln y = c + exponent ln x for start <= x <= stop, weighted by the errors of the curve.

    Returns
    -------
    exponent, error : float
        The error grows where the points scatter more than their errors; nan with fewer than
        four points.
    """
    used = (curve.x >= start) & (curve.x <= stop) & (curve.value > 0)
    used &= np.isfinite(curve.error) & (curve.error < curve.value)
    if used.sum() < FEWEST:
        return float("nan"), float("nan")
    x, y = np.log(curve.x[used]), np.log(curve.value[used])
    sigma = np.maximum(curve.error[used] / curve.value[used], 1e-3)
    (c, exponent), covariance = curve_fit(
        lambda x, c, exponent: c + exponent * x, x, y, sigma=sigma, absolute_sigma=True
    )
    misfit = np.sum(((y - c - exponent * x) / sigma) ** 2) / (used.sum() - 2)
    return float(exponent), float(np.sqrt(covariance[1, 1] * max(misfit, 1.0)))
