"""Kernels over tracers: each thread moves one, as the CPU's loops do.

How many tracers there are stands on the card, ``number[0]``; the rows of `position` beyond are
empty.
"""

from __future__ import annotations

from epmpi.devices.gpu.compiler import advection, cuda, kernel

move_one = advection.move_one
row_below = advection.row_below


@kernel
def move_all(position, number, flow, interpolation, time_step, length, first_row):
    """Move tracers; see `cpu.tracers.moves.move_listed`."""
    n = cuda.grid(1)
    if n < number[0]:
        move_one(interpolation, position, n, flow, time_step, length, first_row)


@kernel
def list_outside(position, identity, number, start, stop, length, found):
    """List the tracers that are not on rows [start, stop), in any order.

    Parameters
    ----------
    found : float64 array, shape (1 + room, 4)
        Their number is added to the first element; row 1 + k receives place, identity and position
        of one, as long as there is room.
    """
    n = cuda.grid(1)
    if n < number[0] and row_below(position[n, 0], length, start) >= stop - start:
        k = 1 + int(cuda.atomic.add(found, (0, 0), 1.0))
        if k < found.shape[0]:
            found[k, 0] = n
            found[k, 1] = identity[n]
            found[k, 2] = position[n, 0]
            found[k, 3] = position[n, 1]


@kernel
def move_batch(position, flow, interpolation, time_step, length):
    """Move tracers (lattices, n, 2) along flows (fields, rows, lattices, Ly) from x = -1 on."""
    n = cuda.grid(1)
    lattice = n // position.shape[1]
    tracer = n - lattice * position.shape[1]
    if lattice < position.shape[0]:
        flow_there = flow[:, :, lattice]
        move_one(interpolation, position[lattice], tracer, flow_there, time_step, length, -1)
