"""Window errors: the dependence of a fitted number on its window, beside the statistical error.

The exponent of a power law fitted to a curve that bends depends on the window.  The number of the
whole window is reported; its *window error* is half the range of the values from the whole window
and its parts.  It is not a 68.3 % interval: it shows how well the law holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from epmpi.analysis.curve import Curve
from epmpi.analysis.regimes import Window


def half_range(values: Iterable[float | None]) -> float:
    """Return half the range of the known values; 0 with fewer than two."""
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(np.ptp(known)) / 2 if known.size > 1 else 0.0


def parts_of_span(start: float, stop: float) -> tuple[tuple[float, float], ...]:
    """Return a span, its first and its second half, by the logarithm."""
    middle = (start * stop) ** 0.5
    return (start, stop), (start, middle), (middle, stop)


def parts(window: Window) -> tuple[Window, ...]:
    """Return a window of lags, its first and its second half, by the logarithm of time."""
    return tuple(Window(window.name, *span) for span in parts_of_span(window.start, window.stop))


def window_error(estimate: Callable[[Window], float | None], window: Window) -> float:
    """Return half the range of an estimate over a window of lags and its halves."""
    return half_range(estimate(part) for part in parts(window))


def part_of(curve: Curve, first: float, last: float) -> Curve:
    """Return the points of a curve between two fractions of their number."""
    size = curve.x.size
    return curve.part(slice(round(first * size), round(last * size)))
