"""Operations on 32 sites at once: a mask of those that pass a test, and their largest stress.

Very few sites switch in a step.  A comparison of 32 sites at once gives a mask with the bits of
those few, which are then treated one by one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types

from epmpi.devices.cpu.compiler import compiled
from epmpi.devices.cpu.vectors import fill, greater, integer, intrinsic, shuffle

SITES = 32
OCTET = 8
FEW = 3
NEXT = np.uint64(1)


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
def largest_inactive(typing, stress, active, index):
    """Return the largest magnitude of the stress (float64) of the inactive ones of 32 sites.

    These are the sites index + 32 h + lane, h < 4, lane < 8, whose draws are side by side; see
    `draws.draw_blocks`.
    """

    def lower(context, builder, sig, args):
        data = context.make_array(stress)(context, builder, args[0]).data
        signs = context.make_array(active)(context, builder, args[1]).data
        octet = ir.VectorType(signs.type.pointee, OCTET)
        vector = ir.VectorType(data.type.pointee, OCTET)
        bits = 64 if isinstance(data.type.pointee, ir.DoubleType) else 32
        magnitude = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector]), f"llvm.fabs.v{OCTET}f{bits}"
        )
        rows = []
        for start in range(0, 4 * SITES, SITES):
            at = [builder.add(args[2], integer(start))]
            here = builder.load(
                builder.bitcast(builder.gep(data, at), vector.as_pointer()), align=1
            )
            here = builder.call(magnitude, [here])
            state = builder.bitcast(builder.gep(signs, at), octet.as_pointer())
            state = builder.load(state, align=1)
            inactive = builder.icmp_unsigned("==", state, ir.Constant(octet, [0] * OCTET))
            rows.append(builder.select(inactive, here, ir.Constant(vector, [0.0] * OCTET)))
        while len(rows) > 1:
            rows = [greater(builder, *pair) for pair in zip(rows[::2], rows[1::2], strict=True)]
        lanes, found = OCTET, rows[0]
        while lanes > 1:
            lanes //= 2
            low = shuffle(builder, found, found, range(lanes))
            found = greater(builder, low, shuffle(builder, found, found, range(lanes, 2 * lanes)))
        largest = builder.extract_element(found, ir.Constant(ir.IntType(32), 0))
        return context.cast(builder, largest, stress.dtype, types.float64)

    return types.float64(stress, active, types.intp), lower


@intrinsic
def lowest_bit(typing, mask):
    """Return the number of the lowest bit that is set in a mask; 64 if there is none."""

    def lower(context, builder, sig, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.intp(types.uint64), lower


@intrinsic
def bits_set(typing, mask):
    """Return the number of bits set in a mask."""

    def lower(context, builder, sig, args):
        return builder.ctpop(args[0])

    return types.intp(types.uint64), lower


@compiled
def list_bits(mask, first, found, number):
    """Append the numbers of the bits set in a mask, plus `first`, to the `number` in a list.

    The first few are written whether they are there or not: a branch for each would be mispredicted
    at every mask, because their number is random.

    Parameters
    ----------
    mask : uint64
    first : int
    found : int64 array
        With room for `FEW` numbers more than are found.
    number : int

    Returns
    -------
    int
        How many the list has now.
    """
    total = number + bits_set(mask)
    for k in range(FEW):
        found[np.uint64(number + k)] = first + lowest_bit(mask)
        mask &= mask - NEXT
    number += FEW
    while mask != 0:
        found[number] = first + lowest_bit(mask)
        mask &= mask - NEXT
        number += 1
    return total
