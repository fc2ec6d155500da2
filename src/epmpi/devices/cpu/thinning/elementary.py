"""Exponential and natural logarithm, in arithmetic that LLVM vectorises."""

from __future__ import annotations

import numpy as np

from epmpi.devices.cpu.compiler import inlined

LOWEST = -708.0  # below it the exponential stays that of this number, 3e-308
LOG2_E = 1.4426950408889634
# ln 2 = LN2_HIGH + LN2_LOW; the first has 21 trailing zero bits, so that its multiples are exact.
LN2_HIGH = 0.6931471803691238
LN2_LOW = 1.9082149292705877e-10
ROUNDING = 6755399441055744.0  # 1.5 x 2^52: a number added to it is rounded to an integer
ROOT_2 = 1.4142135623730951

# A float64 is 2^k m, 1 <= m < 2: the bits of m are the lowest, before them those of k + 1023.
MANTISSA_BITS = np.uint64(52)
MANTISSA = np.uint64((1 << 52) - 1)
ONE = np.uint64(1023 << 52)  # the bits of 1.0
SHIFTED = np.uint64(1075 << 52)  # those of 2^52: an integer below it is in its low bits
UNSHIFTED = 4503599627370496.0 + 1023.0


@inlined
def bits_of(number):
    """Return the bits of a float64, as a uint64."""
    return np.float64(number).view(np.uint64)


@inlined
def of_bits(bits):
    """Return the float64 with these bits."""
    return np.uint64(bits).view(np.float64)


@inlined
def exponential(x):
    """Return exp(x) for x <= 0, to a relative 5e-16; 3e-308 for all x below -708.

    ``exp(x) = 2^k exp(r)``, ``|r| <= ln(2) / 2``, and the Taylor polynomial of degree 13.
    """
    x = LOWEST if x < LOWEST else x
    rounded = x * LOG2_E + ROUNDING
    k = rounded - ROUNDING
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    high = 1.0 / 39916800 + r * (1.0 / 479001600 + r * (1.0 / 6227020800))
    high = 1.0 / 362880 + r * (1.0 / 3628800 + r * high)
    high = 1.0 / 5040 + r * (1.0 / 40320 + r * high)
    high = 1.0 / 120 + r * (1.0 / 720 + r * high)
    high = 1.0 / 6 + r * (1.0 / 24 + r * high)
    # The low bits of `rounded` are those of k: they are moved to the exponent of 1.
    power = of_bits((bits_of(rounded) << MANTISSA_BITS) + ONE)
    return (1.0 + r * (1.0 + r * (0.5 + r * high))) * power


@inlined
def logarithm(x):
    """Return ln(x) for x >= 2.3e-308, to 3e-16 and a relative 3e-16.

    ``ln x = k ln 2 + 2 artanh s`` with ``x = 2^k m``, ``m`` between the root of 1/2 and that of 2,
    ``s = (m - 1) / (m + 1)``, and the Taylor polynomial of degree 23.
    """
    bits = bits_of(x)
    k = of_bits((bits >> MANTISSA_BITS) | SHIFTED) - UNSHIFTED
    m = of_bits((bits & MANTISSA) | ONE)
    above = m > ROOT_2
    k, m = (k + 1.0 if above else k), (0.5 * m if above else m)
    s = (m - 1.0) / (m + 1.0)
    t = s * s
    high = 1.0 / 17 + t * (1.0 / 19 + t * (1.0 / 21 + t * (1.0 / 23)))
    high = 1.0 / 11 + t * (1.0 / 13 + t * (1.0 / 15 + t * high))
    high = 1.0 / 5 + t * (1.0 / 7 + t * (1.0 / 9 + t * high))
    artanh = s + s * t * (1.0 / 3 + t * high)
    return k * LN2_HIGH + (k * LN2_LOW + 2.0 * artanh)
