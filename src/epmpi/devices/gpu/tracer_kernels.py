"""Kernels over tracers: each thread moves one, as the CPU's loops do.

How many tracers there are stands on the card, ``number[0]``; the rows of `position` beyond are
empty.
"""

from __future__ import annotations

from epmpi.devices.cpu import tracer_loops
from epmpi.devices.gpu.compiler import compile_loop, cuda, kernel

wrap = compile_loop(tracer_loops.wrap)
column = compile_loop(tracer_loops.column, wrap=wrap)
local_row = compile_loop(tracer_loops.local_row, wrap=wrap)
where = {"wrap": wrap, "column": column, "local_row": local_row}
bilinear = compile_loop(tracer_loops.move_one_bilinear, **where)
nearest = compile_loop(tracer_loops.move_one_nearest, **where)
along_stream = compile_loop(tracer_loops.move_one_along_stream, **where)
one = compile_loop(
    tracer_loops.move_one,
    move_one_bilinear=bilinear,
    move_one_nearest=nearest,
    move_one_along_stream=along_stream,
)
hold_near = compile_loop(tracer_loops.hold_near)
by_midpoint = compile_loop(tracer_loops.move_one_by_midpoint, move_one=one, hold_near=hold_near)


@kernel
def move_bilinear(position, number, velocity, time_step, length, first_row):
    """Move tracers; see `cpu.tracer_loops.move_bilinear`."""
    n = cuda.grid(1)
    if n < number[0]:
        bilinear(position, n, velocity, time_step, length, first_row)


@kernel
def move_nearest(position, number, velocity, time_step, length, first_row):
    """Move tracers; see `cpu.tracer_loops.move_nearest`."""
    n = cuda.grid(1)
    if n < number[0]:
        nearest(position, n, velocity, time_step, length, first_row)


@kernel
def move_along_stream(position, number, stream, time_step, length, first_row):
    """Move tracers; see `cpu.tracer_loops.move_along_stream`."""
    n = cuda.grid(1)
    if n < number[0]:
        along_stream(position, n, stream, time_step, length, first_row)


@kernel
def move_by_midpoint(position, number, flow, interpolation, time_step, length, first_row):
    """Move tracers; see `cpu.tracer_loops.move_by_midpoint`."""
    n = cuda.grid(1)
    if n < number[0]:
        by_midpoint(interpolation, position, n, flow, time_step, length, first_row)


def _move_batch(move):
    """Return the kernel over the tracers of a batch, by the function that moves one."""

    @kernel
    def move_batch(position, flow, time_step, length):
        """Move tracers (lattices, n, 2) along flows (fields, rows, lattices, Ly)."""
        n = cuda.grid(1)
        lattice = n // position.shape[1]
        tracer = n - lattice * position.shape[1]
        if lattice < position.shape[0]:
            move(position[lattice], tracer, flow[:, :, lattice], time_step, length, 0)

    return move_batch


move_batch_bilinear = _move_batch(bilinear)
move_batch_nearest = _move_batch(nearest)
move_batch_along_stream = _move_batch(along_stream)
