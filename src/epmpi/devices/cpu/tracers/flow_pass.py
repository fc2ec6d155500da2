"""The flow pass of a step in one loop: a few rows of the flow at a time, and the tracers in them.

The rows stay in the second-level cache while their tracers move; the flow is never stored.
"""

from __future__ import annotations

from epmpi.devices.cpu.compiler import compiled
from epmpi.devices.cpu.fourier.real_lines import restore_rows
from epmpi.devices.cpu.tracers.moves import move_listed, row_below
from epmpi.devices.cpu.vector_memory import lanes


@compiled
def order_by_row(position, length, first_row, starts, order):
    """Sort tracers by the row below them; those of a row keep their order.

    Parameters
    ----------
    position : float64 array, shape (tracers, 2)
    length, first_row : int
        Lx, and the x of the slab's first row.
    starts : int64 array, shape (rows + 1,)
        Written: where the tracers of each row begin in `order`.
    order : int64 array, shape (tracers,)
        Written: numbers of tracers.
    """
    starts[:] = 0
    for n in range(position.shape[0]):
        starts[row_below(position[n, 0], length, first_row) + 1] += 1
    for row in range(starts.size - 1):
        starts[row + 1] += starts[row]
    for n in range(position.shape[0]):
        row = row_below(position[n, 0], length, first_row)
        order[starts[row]] = n
        starts[row] += 1
    for row in range(starts.size - 1, 0, -1):
        starts[row] = starts[row - 1]
    starts[0] = 0


@compiled
def move_along_rows(
    spectra,
    flow,
    work,
    plan,
    interpolation,
    position,
    starts,
    order,
    time_step,
    length,
    first_row,
):
    """Move the tracers of a slab along a flow given by the spectra of its rows.

    Parameters
    ----------
    spectra : complex array, shape (rows + halo, fields, Ly // 2 + 1)
        From a row before the first one that an interpolation in the slab reads.
    flow : float array, shape (fields, height + halo, Ly)
        For the rows that are worked on at a time.
    work, plan
        See `real_lines.restore_rows`.
    interpolation : int
        BILINEAR, NEAREST or STREAM; see `advection`.
    position : float64 array, shape (tracers, 2)
        Updated.
    starts, order : int64 arrays
        Of `order_by_row`.
    time_step : float
    length, first_row : int
        As of `order_by_row`.
    """
    rows = starts.size - 1
    halo = spectra.shape[0] - rows
    height = flow.shape[1] - halo
    for begin in range(0, rows, height):
        end = min(begin + height, rows)
        known = halo if begin else 0  # rows that the block before has restored
        for field in range(flow.shape[0]):
            for row in range(known):  # a slice of rows would take Numba seconds to compile
                for y in range(flow.shape[2]):
                    flow[field, row, y] = flow[field, height + row, y]
            lines = spectra[begin + known : end + halo, field]
            for row in range(0, lines.shape[0], lanes(work)):
                restore_rows(lines, row, flow[field, known : end + halo - begin], row, work, plan)
        move_listed(
            interpolation, position, order, starts[begin], starts[end], flow, time_step, length,
            first_row + begin - 1,
        )  # fmt: skip
