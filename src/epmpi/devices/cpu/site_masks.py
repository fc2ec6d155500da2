"""Which of 32 neighbouring numbers pass a test: one bit each, by the comparisons of a vector unit.

Nearly no site switches in a step.  A comparison of 32 sites at once gives a mask, whose bits lead
to the few that are to be looked at one by one.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types

from epmpi.devices.cpu.vectors import fill, intrinsic

SITES = 32


def _neighbours(context: Any, builder: ir.IRBuilder, kind: types.Array, args: Any) -> ir.Value:
    """Return the vector of the 32 numbers of an array (first argument) from an index on."""
    data = context.make_array(kind)(context, builder, args[0]).data
    vector = ir.VectorType(data.type.pointee, SITES)
    pointer = builder.bitcast(builder.gep(data, [args[1]]), vector.as_pointer())
    return builder.load(pointer, align=1)


def _mask(builder: ir.IRBuilder, passed: ir.Value) -> ir.Value:
    """Return 32 truth values as the bits of an integer, the first one lowest."""
    return builder.zext(builder.bitcast(passed, ir.IntType(SITES)), ir.IntType(64))


@intrinsic
def mask_at_most(typing, array, index, limit):
    """Return the mask of the unsigned numbers `index` ... index + 31 that are at most `limit`."""

    def lower(context, builder, sig, args):
        numbers = _neighbours(context, builder, array, args)
        bound = fill(builder, builder.trunc(args[2], numbers.type.element), SITES)
        return _mask(builder, builder.icmp_unsigned("<=", numbers, bound))

    return types.uint64(array, types.intp, types.uint64), lower


@intrinsic
def mask_nonzero(typing, array, index):
    """Return the mask of the integers `index` ... index + 31 that are not zero."""

    def lower(context, builder, sig, args):
        numbers = _neighbours(context, builder, array, args)
        zeros = ir.Constant(numbers.type, [0] * SITES)
        return _mask(builder, builder.icmp_unsigned("!=", numbers, zeros))

    return types.uint64(array, types.intp), lower


@intrinsic
def lowest_bit(typing, mask):
    """Return the number of the lowest bit that is set in a mask that is not zero."""

    def lower(context, builder, sig, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.intp(types.uint64), lower
