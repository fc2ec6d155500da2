"""The natural logarithm of positive numbers, in arithmetic that LLVM vectorises."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic as _intrinsic

from epmpi.devices.cpu.compiler import inlined
from epmpi.devices.cpu.thinning.exponential import LN2_HIGH, LN2_LOW, MANTISSA_BITS

intrinsic: Any = _intrinsic  # by its annotations it would take the typing context from its caller

ROOT_2 = 1.4142135623730951
ONE = 1023 << MANTISSA_BITS  # the bits of 1.0
SHIFTED = 1075 << MANTISSA_BITS  # those of 2^52: an integer below it is in its low bits
UNSHIFTED = 4503599627370496.0 + 1023.0


@intrinsic
def exponent_of(typing, number):
    """Return k of the positive, normal number 2^k m, 1 <= m < 2, as a float."""

    def lower(context, builder, sig, args):
        word = ir.IntType(64)
        bits = builder.bitcast(args[0], word)
        high = builder.lshr(bits, ir.Constant(word, MANTISSA_BITS))
        shifted = builder.bitcast(builder.or_(high, ir.Constant(word, SHIFTED)), ir.DoubleType())
        return builder.fsub(shifted, ir.Constant(ir.DoubleType(), UNSHIFTED))

    return types.float64(types.float64), lower


@intrinsic
def mantissa_of(typing, number):
    """Return m of the positive, normal number 2^k m, 1 <= m < 2."""

    def lower(context, builder, sig, args):
        word = ir.IntType(64)
        bits = builder.bitcast(args[0], word)
        low = builder.and_(bits, ir.Constant(word, (1 << MANTISSA_BITS) - 1))
        return builder.bitcast(builder.or_(low, ir.Constant(word, ONE)), ir.DoubleType())

    return types.float64(types.float64), lower


@inlined
def logarithm(x):
    """Return ln(x) for x >= 2.3e-308, to 3e-16 and a relative 3e-16.

    ``ln x = k ln 2 + 2 artanh s`` with ``x = 2^k m``, ``m`` between the root of 1/2 and that of 2,
    ``s = (m - 1) / (m + 1)``, and the Taylor polynomial of degree 23.
    """
    k, m = exponent_of(x), mantissa_of(x)
    above = m > ROOT_2
    k, m = (k + 1.0 if above else k), (0.5 * m if above else m)
    s = (m - 1.0) / (m + 1.0)
    t = s * s
    high = 1.0 / 17 + t * (1.0 / 19 + t * (1.0 / 21 + t * (1.0 / 23)))
    high = 1.0 / 11 + t * (1.0 / 13 + t * (1.0 / 15 + t * high))
    high = 1.0 / 5 + t * (1.0 / 7 + t * (1.0 / 9 + t * high))
    artanh = s + s * t * (1.0 / 3 + t * high)
    return k * LN2_HIGH + (k * LN2_LOW + 2.0 * artanh)
