"""Kernels over tracers: each thread moves one, as the CPU's loops do.

The number of tracers is stored on the card, ``number[0]``; the rows of `position` beyond are
empty.
"""

from __future__ import annotations

from epmpi.devices.gpu.compiler import advection, cuda, kernel

move_one = advection.move_one
row_below = advection.row_below
RUN = 32  # tracers that a thread lists


@kernel
def move_all(position, number, flow, interpolation, time_step, length, first_row):
    """Move tracers; see `cpu.tracers.moves.move_listed`."""
    n = cuda.grid(1)
    if n < number[0]:
        move_one(interpolation, position, n, flow, time_step, length, first_row)


@cuda.jit(device=True)
def block_of(x, length, first_row, height, blocks):
    """Return which block of rows holds floor(x); the last one for what is on none."""
    return min(row_below(x, length, first_row) // height, blocks - 1)


@kernel
def count_by_block(position, number, length, first_row, height, starts):
    """Count the tracers of each block of rows; a thread takes some that follow one another.

    These are mostly of one block, so that few additions have to wait for others.

    Parameters
    ----------
    height : int
        Rows of a block.
    starts : int64 array, shape (blocks + 1,)
        The number of block b is added to element b + 1.
    """
    first = cuda.grid(1) * RUN
    last = 0
    count = 0
    for n in range(first, min(first + RUN, number[0])):
        block = block_of(position[n, 0], length, first_row, height, starts.size - 1)
        if block != last and count > 0:
            cuda.atomic.add(starts, last + 1, count)
            count = 0
        last = block
        count += 1
    if count > 0:
        cuda.atomic.add(starts, last + 1, count)


@kernel
def add_up(starts, following):
    """Turn numbers of tracers into where the list of each block begins; one thread.

    Parameters
    ----------
    starts : int64 array, shape (blocks + 1,)
        Of `count_by_block`; element b becomes where block b begins.
    following : int64 array, shape (blocks,)
        Written: the same.
    """
    if cuda.grid(1) == 0:
        for block in range(following.size):
            following[block] = starts[block]
            starts[block + 1] += starts[block]


@kernel
def list_by_block(position, number, length, first_row, height, following, listed):
    """List the tracers by block of rows, as `count_by_block` has counted them.

    Parameters
    ----------
    following : int64 array, shape (blocks,)
        Where the next one of each block is listed; counted on.
    listed : int64 array
        Written: numbers of tracers, in any order within a block.
    """
    first = cuda.grid(1) * RUN
    end = min(first + RUN, number[0])
    n = first
    while n < end:
        block = block_of(position[n, 0], length, first_row, height, following.size)
        begin = n
        n += 1
        while n < end and block == block_of(
            position[n, 0], length, first_row, height, following.size
        ):
            n += 1
        at = cuda.atomic.add(following, block, n - begin)
        for k in range(n - begin):
            listed[at + k] = begin + k


@kernel
def move_listed(position, listed, starts, block, flow, interpolation, time_step, length, first_row):
    """Move the tracers that are listed for a block of rows; see `cpu.tracers.moves.move_listed`."""
    for k in range(starts[block] + cuda.grid(1), starts[block + 1], cuda.gridsize(1)):
        move_one(interpolation, position, listed[k], flow, time_step, length, first_row)


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
