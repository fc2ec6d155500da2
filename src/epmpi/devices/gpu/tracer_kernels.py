"""Kernels over tracers: each thread moves one, as the CPU's loops do.

How many tracers there are stands on the card, ``number[0]``; the rows of `position` beyond are
empty.
"""

from __future__ import annotations

from epmpi.devices.gpu.compiler import advection, cuda, kernel

move_one = advection.move_one


@kernel
def move_all(position, number, flow, interpolation, time_step, length, first_row):
    """Move tracers; see `cpu.tracers.moves.move_listed`."""
    n = cuda.grid(1)
    if n < number[0]:
        move_one(interpolation, position, n, flow, time_step, length, first_row)


@kernel
def move_batch(position, flow, interpolation, time_step, length):
    """Move tracers (lattices, n, 2) along flows (fields, rows, lattices, Ly) from x = -1 on."""
    n = cuda.grid(1)
    lattice = n // position.shape[1]
    tracer = n - lattice * position.shape[1]
    if lattice < position.shape[0]:
        flow_there = flow[:, :, lattice]
        move_one(interpolation, position[lattice], tracer, flow_there, time_step, length, -1)
