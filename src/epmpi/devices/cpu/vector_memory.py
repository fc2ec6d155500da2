"""Between memory and complex vectors: loads and stores of strips, spectra and tables.

A strip of n points of W lines is a float array ``[n][2][W]``, real parts, then imaginary parts; its
points are counted from the start of the array.  Nothing needs to be aligned, except for one store.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

from epmpi.devices.cpu.compiler import inlined
from epmpi.devices.cpu.vectors import (
    REGISTER_BYTES,
    ComplexVector,
    fill,
    integer,
    intrinsic,
    pack,
    parts,
    shuffle,
)


def _vector_of(array: Any) -> ComplexVector:
    """Return the type of vector that a float or complex array holds."""
    return ComplexVector(getattr(array.dtype, "underlying_float", array.dtype))


def _address(
    context: Any, builder: ir.IRBuilder, array: types.Array, value: ir.Value, index: ir.Value
) -> ir.Value:
    """Return a pointer to real number `index` of an array (a complex number is two)."""
    data = context.make_array(array)(context, builder, value).data
    real = context.get_data_type(_vector_of(array).element)
    return builder.gep(builder.bitcast(data, real.as_pointer()), [index])


def _get(builder: ir.IRBuilder, pointer: ir.Value, lanes: int, offset: int = 0) -> ir.Value:
    """Return the `lanes` real numbers that begin `offset` after a pointer, of any alignment."""
    kind = ir.VectorType(pointer.type.pointee, lanes)
    pointer = builder.gep(pointer, [integer(offset)])
    return builder.load(builder.bitcast(pointer, kind.as_pointer()), align=REGISTER_BYTES // lanes)


def _put(builder: ir.IRBuilder, value: ir.Value, pointer: ir.Value, offset: int = 0) -> Any:
    """Store a vector from `offset` after a pointer on, of any alignment; return the instruction."""
    pointer = builder.gep(pointer, [integer(offset)])
    pointer = builder.bitcast(pointer, value.type.as_pointer())
    return builder.store(value, pointer, align=REGISTER_BYTES // value.type.count)


@intrinsic
def lanes(typing, array):
    """Return W, the number of lines side by side, for an array's precision."""
    width = _vector_of(array).lanes
    return types.intp(array), lambda context, builder, sig, args: integer(width)


@intrinsic
def load_reals(typing, array, index):
    """Return real numbers `index` ... index + 2 W - 1 of an array's memory, as one value."""
    vector = _vector_of(array)
    width = vector.lanes

    def lower(context, builder, sig, args):
        pointer = _address(context, builder, array, args[0], args[1])
        return pack(builder, *(_get(builder, pointer, width, half) for half in (0, width)))

    return vector(array, types.intp), lower


@intrinsic
def store_reals(typing, array, index, value):
    """Set real numbers `index` ... index + 2 W - 1 of an array's memory."""
    width = value.lanes

    def lower(context, builder, sig, args):
        pointer = _address(context, builder, array, args[0], args[1])
        for half, part in zip((0, width), parts(builder, args[2]), strict=True):
            _put(builder, part, pointer, half)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), lower


@intrinsic
def ask(typing, strip, point):
    """Ask for a point of a strip, or beyond it, which will be loaded soon; it changes no number."""
    step = 2 * _vector_of(strip).lanes

    def lower(context, builder, sig, args):
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        first = builder.mul(args[1], integer(step))
        pointer = _address(context, builder, strip, args[0], first)
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        read, near, data = word(0), word(3), word(1)
        builder.call(function, [builder.bitcast(pointer, byte), read, near, data])
        return context.get_dummy_value()

    return types.void(strip, types.intp), lower


@inlined
def load(strip, point):
    """Return a point of a strip."""
    return load_reals(strip, point * (2 * lanes(strip)))


@inlined
def store(strip, point, value):
    """Set a point of a strip."""
    store_reals(strip, point * (2 * lanes(strip)), value)


@intrinsic
def load_adjacent(typing, array, index):
    """Return complex numbers `index` ... index + W - 1 of a complex array's memory."""
    vector = _vector_of(array)
    width = vector.lanes

    def lower(context, builder, sig, args):
        pointer = _address(context, builder, array, args[0], builder.mul(args[1], integer(2)))
        low, high = (_get(builder, pointer, width, half) for half in (0, width))
        orders = (range(part, 2 * width, 2) for part in (0, 1))
        return pack(builder, *(shuffle(builder, low, high, order) for order in orders))

    return vector(array, types.intp), lower


def _store_adjacent(array: Any, value: ComplexVector, past_the_caches: bool) -> tuple[Any, Any]:
    """Return the signature and the lowering of a store of adjacent complex numbers."""
    width = value.lanes

    def lower(context, builder, sig, args):
        pointer = _address(context, builder, array, args[0], builder.mul(args[1], integer(2)))
        real, imaginary = parts(builder, args[2])
        for half in (0, width):
            pairs = range(half // 2, (half + width) // 2)
            order = [lane + part for lane in pairs for part in (0, width)]
            adjacent = shuffle(builder, real, imaginary, order)
            stored = _put(builder, adjacent, pointer, half)
            if past_the_caches:
                stored.align = REGISTER_BYTES
                one = ir.Constant(ir.IntType(32), 1)
                stored.set_metadata("nontemporal", builder.module.add_metadata([one]))
        return context.get_dummy_value()

    return types.void(array, types.intp, value), lower


@intrinsic
def store_adjacent(typing, array, index, value):
    """Set complex numbers `index` ... index + W - 1 of a complex array's memory."""
    return _store_adjacent(array, value, past_the_caches=False)


@intrinsic
def stream_adjacent(typing, array, index, value):
    """Do as `store_adjacent`, but to memory itself, which is not read into the caches before.

    They must begin on a multiple of REGISTER_BYTES.  What is written can be late for others until
    `fence`.
    """
    return _store_adjacent(array, value, past_the_caches=True)


@intrinsic
def fence(typing):
    """Make all that was written before visible to others before anything that follows."""

    def lower(context, builder, sig, args):
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), lower


@intrinsic
def broadcast(typing, array, index):
    """Return complex number `index` of a complex array, in every lane."""
    vector = _vector_of(array)

    def lower(context, builder, sig, args):
        pointer = _address(context, builder, array, args[0], builder.mul(args[1], integer(2)))
        numbers = (builder.load(builder.gep(pointer, [integer(part)])) for part in (0, 1))
        return pack(builder, *(fill(builder, number, vector.lanes) for number in numbers))

    return vector(array, types.intp), lower


@intrinsic
def scaled_by(typing, value, array, index):
    """Return a complex vector times real numbers `index` ... index + W - 1, lane by lane."""

    def lower(context, builder, sig, args):
        factor = _get(builder, _address(context, builder, array, *args[1:]), value.lanes)
        return pack(builder, *(builder.fmul(part, factor) for part in parts(builder, args[0])))

    return value(value, array, types.intp), lower


def _rows(
    builder: ir.IRBuilder, origin: ir.Value, pitch: ir.Value, rows: ir.Value, width: int
) -> Iterator[ir.Value]:
    """Return pointers to W rows; where there are fewer, the last one is repeated."""
    last = builder.sub(rows, integer(1))
    for lane in range(width):
        row = builder.select(builder.icmp_signed("<", integer(lane), last), integer(lane), last)
        yield builder.gep(origin, [builder.mul(row, pitch)])


@intrinsic
def transpose(typing, source, start, pitch, rows, target, target_start, target_pitch, target_rows):
    """Copy W x W real numbers, rows of the source into columns of the target.

    Parameters
    ----------
    source, target : float or complex array
    start, target_start : int
        Where the tile begins, counted in real numbers of the array's memory.
    pitch, target_pitch : int
        Real numbers from one row to the next.
    rows, target_rows : int
        Where a side has fewer than W rows, its last one is read again, or written again with the
        same numbers.
    """
    vector = _vector_of(source)
    width = vector.lanes

    def lower(context, builder, sig, args):
        first, start, pitch, rows, second, target_start, target_pitch, target_rows = args
        origin = _address(context, builder, source, first, start)
        tile = [_get(builder, row, width) for row in _rows(builder, origin, pitch, rows, width)]
        bit = width // 2
        while bit:  # exchange this bit of the row's number with that of the column's
            low = [i if not i & bit else width + i - bit for i in range(width)]
            high = [i + bit if not i & bit else width + i for i in range(width)]
            for row in (row for row in range(width) if not row & bit):
                a, b = tile[row], tile[row + bit]
                tile[row] = shuffle(builder, a, b, low)
                tile[row + bit] = shuffle(builder, a, b, high)
            bit //= 2
        origin = _address(context, builder, target, second, target_start)
        columns = _rows(builder, origin, target_pitch, target_rows, width)
        for value, column in zip(tile, columns, strict=True):
            _put(builder, value, column)
        return context.get_dummy_value()

    intp = types.intp
    return types.void(source, intp, intp, intp, target, intp, intp, intp), lower
