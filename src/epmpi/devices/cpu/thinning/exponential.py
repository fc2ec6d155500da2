"""The exponential of numbers that are not positive, in arithmetic that LLVM vectorises."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic as _intrinsic

from epmpi.devices.cpu.compiler import inlined

intrinsic: Any = _intrinsic  # by its annotations it would take the typing context from its caller

LOWEST = -708.0  # below it the result stays that of this number, 3e-308
LOG2_E = 1.4426950408889634
# ln 2 = LN2_HIGH + LN2_LOW; the first has 21 trailing zero bits, so that its multiples are exact.
LN2_HIGH = 0.6931471803691238
LN2_LOW = 1.9082149292705877e-10
ROUNDING = 6755399441055744.0  # 1.5 x 2^52: a number added to it is rounded to an integer
MANTISSA_BITS = 52


@intrinsic
def power_of_two(typing, rounded):
    """Return 2^k for the number k + ROUNDING: its low bits are moved to the exponent of 1."""

    def lower(context, builder, sig, args):
        word = ir.IntType(64)
        bits = builder.bitcast(args[0], word)
        shifted = builder.shl(bits, ir.Constant(word, MANTISSA_BITS))
        power = builder.add(shifted, ir.Constant(word, 1023 << MANTISSA_BITS))
        return builder.bitcast(power, ir.DoubleType())

    return types.float64(types.float64), lower


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
    return (1.0 + r * (1.0 + r * (0.5 + r * high))) * power_of_two(rounded)
