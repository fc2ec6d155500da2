"""Notation of numbers with errors."""

from __future__ import annotations

import math


def significant(value: float, error: float) -> str:
    """Return value(error) with the error in its last digits: 0.0148(12), 2.00(85)e-04.

    The error keeps two digits.  Without an error (nan or 0) the value keeps four.
    """
    if not math.isfinite(value) or not math.isfinite(error) or error <= 0:
        return f"{value:.4g}"
    power = math.floor(math.log10(max(abs(value), error))) if value else 0
    if not -3 <= power <= 4:
        return f"{_fixed(value / 10.0**power, error / 10.0**power)}e{power:+03d}"
    return _fixed(value, error)


def mathtext(value: float, error: float) -> str:
    """Return the same for a figure's label, without the dollar signs."""
    mantissa, _, power = significant(value, error).partition("e")
    return rf"{mantissa}\times 10^{{{int(power)}}}" if power else mantissa


def _fixed(value: float, error: float) -> str:
    digits = 1 - math.floor(math.log10(error))
    if digits <= 0 or digits > 8:
        return f"{value:.3g}±{error:.2g}"
    last = round(error * 10**digits)
    if last == 100:  # 0.0999 rounds to 0.10
        digits, last = digits - 1, 10
    return f"{value:.{digits}f}({last})"
