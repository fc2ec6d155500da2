"""Exponents of power laws, and the dependence of a fitted number on its window.

The exponent of a power law fitted to a curve that bends depends on the window.  The number of the
whole window is reported; its *window error*, stated beside the statistical one, is half the range
of the values from the whole window and its parts.  It is not a 68.3 % interval: it shows how well
the law holds.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from epmpi.analysis.blocks import jackknifed
from epmpi.analysis.curve import Curve
from epmpi.analysis.fits import CURVE, deviations, solve_linear
from epmpi.analysis.regimes import Window

FEWEST = 4  # points of a power law


def half_range(values: Iterable[float | None]) -> float:
    """Return half the range of the known values; 0 with fewer than two."""
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(np.ptp(known)) / 2 if known.size > 1 else 0.0


def parts(window: Window) -> tuple[Window, ...]:
    """Return a window, its first and its second half, by the logarithm."""
    middle = (window.start * window.stop) ** 0.5
    first = Window(window.name, window.start, middle)
    return window, first, Window(window.name, middle, window.stop)


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
