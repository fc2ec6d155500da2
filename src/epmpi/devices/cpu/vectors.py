"""SIMD vectors in compiled loops: W complex numbers, one of each of W lines, as one value.

LLVM cannot prove that the strips of a transform are apart, and so vectorises none of its loops.
Here a complex vector is two LLVM vectors, of W real and W imaginary parts (W = 4 in double, 8 in
single precision: 32 bytes each); LLVM lowers them to whatever the processor has.  Every lane goes
through the same operations.  A product followed by a sum is fused where the processor fuses, which
depends on the machine, never on the lane.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic as _intrinsic
from numba.extending import register_model

# By its annotations an intrinsic would take the typing context from its caller.
intrinsic: Any = _intrinsic

# One register of AVX2, two of SSE or NEON.  Twice as many were slower on AVX2: four operands of a
# butterfly no longer fit into its 16 registers.
REGISTER_BYTES = 32


class ComplexVector(types.Type):
    """The Numba type of W complex numbers.

    Parameters
    ----------
    element : numba.types.Float
        float64 or float32.
    """

    def __init__(self, element: types.Float) -> None:
        self.element = element
        self.lanes = 8 * REGISTER_BYTES // element.bitwidth
        super().__init__(name=f"ComplexVector({element} x {self.lanes})")


@register_model(ComplexVector)
class _ComplexVectorModel(models.PrimitiveModel):
    """Two LLVM vectors: real parts, imaginary parts."""

    def __init__(self, manager: Any, kind: ComplexVector) -> None:
        half = ir.VectorType(manager.lookup(kind.element).get_value_type(), kind.lanes)
        super().__init__(manager, kind, ir.LiteralStructType([half, half]))


def integer(value: int) -> ir.Constant:
    """Return an index known when compiling."""
    return ir.Constant(ir.IntType(64), value)


def parts(builder: ir.IRBuilder, value: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Return the real and the imaginary parts of a complex vector."""
    return builder.extract_value(value, 0), builder.extract_value(value, 1)


def pack(builder: ir.IRBuilder, real: ir.Value, imaginary: ir.Value) -> ir.Value:
    """Return a complex vector of its parts."""
    empty = ir.Constant(ir.LiteralStructType([real.type, real.type]), ir.Undefined)
    return builder.insert_value(builder.insert_value(empty, real, 0), imaginary, 1)


def fused(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
    """Return a b + c, fused where that is one instruction."""
    bits = 64 if isinstance(a.type.element, ir.DoubleType) else 32
    name = f"llvm.fmuladd.v{a.type.count}f{bits}"
    kind = ir.FunctionType(a.type, [a.type] * 3)
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [a, b, c])


def shuffle(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, order: Iterable[int]) -> ir.Value:
    """Return the elements `order` of a followed by b."""
    lanes = list(order)
    return builder.shuffle_vector(
        a, b, ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes)
    )


def fill(builder: ir.IRBuilder, value: ir.Value, lanes: int) -> ir.Value:
    """Return a vector with the same number in every lane."""
    empty = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    first = builder.insert_element(empty, value, ir.Constant(ir.IntType(32), 0))
    return shuffle(builder, first, empty, [0] * lanes)


def greater(builder: ir.IRBuilder, a: ir.Value, b: ir.Value) -> ir.Value:
    """Return the larger numbers of two vectors; the second where one is not a number."""
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


def _operator(function: Callable, lower: Callable, *others: type[types.Type]) -> None:
    """Define an operator of a complex vector and `others`; the result is a complex vector."""

    @infer_global(function)
    class _Typing(AbstractTemplate):
        def generic(self, args: tuple, kws: dict) -> Any:
            kinds: tuple[Any, ...] = (ComplexVector, *others)
            if len(args) == len(kinds) and all(
                isinstance(arg, kind) for arg, kind in zip(args, kinds, strict=True)
            ):
                return signature(args[0], *args)
            return None

    lower_builtin(function, ComplexVector, *others)(lower)


def _each_part(instruction: Callable) -> Callable:
    """Return the lowering of what is done to the real and to the imaginary parts alike."""

    def lower(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> ir.Value:
        operands = zip(*(parts(builder, value) for value in args), strict=True)
        return pack(builder, *(instruction(builder, *parts) for parts in operands))

    return lower


def _product(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> ir.Value:
    (ar, ai), (br, bi) = (parts(builder, value) for value in args)
    real = fused(builder, ar, br, builder.fneg(builder.fmul(ai, bi)))
    return pack(builder, real, fused(builder, ar, bi, builder.fmul(ai, br)))


def _scaled(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> ir.Value:
    vector, kind = sig.args
    number = context.cast(builder, args[1], kind, vector.element)
    factor = fill(builder, number, vector.lanes)
    return pack(builder, *(builder.fmul(part, factor) for part in parts(builder, args[0])))


_operator(operator.add, _each_part(ir.IRBuilder.fadd), ComplexVector)
_operator(operator.sub, _each_part(ir.IRBuilder.fsub), ComplexVector)
_operator(operator.neg, _each_part(ir.IRBuilder.fneg))
_operator(operator.mul, _product, ComplexVector)
_operator(operator.mul, _scaled, types.Float)


@intrinsic
def multiply_add(typing, a, x, b):
    """Return x a + b of complex vectors a, b and a real number x."""

    def lower(context, builder, sig, args):
        number = context.cast(builder, args[1], sig.args[1], a.element)
        factor = fill(builder, number, a.lanes)
        pairs = zip(parts(builder, args[0]), parts(builder, args[2]), strict=True)
        return pack(builder, *(fused(builder, p, factor, q) for p, q in pairs))

    return a(a, types.float64, a), lower


@intrinsic
def larger(typing, a, b):
    """Return the larger real and the larger imaginary part in each lane."""
    return a(a, a), _each_part(greater)


@intrinsic
def turned(typing, a):
    """Return -i a."""

    def lower(context, builder, sig, args):
        real, imaginary = parts(builder, args[0])
        return pack(builder, imaginary, builder.fneg(real))

    return a(a), lower


@intrinsic
def conjugate(typing, a):
    """Return the complex conjugate of a."""

    def lower(context, builder, sig, args):
        real, imaginary = parts(builder, args[0])
        return pack(builder, real, builder.fneg(imaginary))

    return a(a), lower
