"""Loops over tracers: the flow at their positions, and their moves.

What is done with one of them is in `epmpi.physics.advection`.
"""

from __future__ import annotations

import numpy as np

from epmpi.devices.cpu.compiler import advection, compiled

BILINEAR, NEAREST = advection.BILINEAR, advection.NEAREST
flow_along_stream = advection.flow_along_stream
flow_bilinear = advection.flow_bilinear
flow_nearest = advection.flow_nearest
half_way = advection.half_way
row_below = advection.row_below

TOGETHER = 64  # tracers: one after another, each would wait for where its midpoint is


@compiled
def flow_at_all(interpolation, points, count, flow, length, first_row, found):
    """Write the flow at the first points (n, 2) of an array into `found`, (n, 2)."""
    if interpolation == BILINEAR:
        for n in range(count):
            u, v = flow_bilinear(points[n, 0], points[n, 1], flow, length, first_row)
            found[n, 0], found[n, 1] = u, v
    elif interpolation == NEAREST:
        for n in range(count):
            u, v = flow_nearest(points[n, 0], points[n, 1], flow, length, first_row)
            found[n, 0], found[n, 1] = u, v
    else:
        for n in range(count):
            u, v = flow_along_stream(points[n, 0], points[n, 1], flow, length, first_row)
            found[n, 0], found[n, 1] = u, v


@compiled
def move_listed(interpolation, position, listed, begin, end, flow, time_step, length, first_row):
    """Move tracers with the flow half way along their paths: ``r += u(r + u(r) dt / 2) dt``.

    The error of a path is of second order in the displacement.  Half way is at most `HALF_WAY`
    away, so that the rows of the flow that are there suffice.

    Parameters
    ----------
    interpolation : int
        BILINEAR, NEAREST or STREAM.
    position : float64 array, shape (tracers, 2)
        Unwrapped (x, y), in lattice spacings; updated.
    listed : int64 array
        Numbers of tracers, of which those from `begin` to `end` move.
    flow, length, first_row
        As of `flow_bilinear` or `flow_along_stream`.
    time_step : float
        What the flow is multiplied by.
    """
    start, half, found = np.empty((TOGETHER, 2)), np.empty((TOGETHER, 2)), np.empty((TOGETHER, 2))
    for first in range(begin, end, TOGETHER):
        count = min(TOGETHER, end - first)
        for n in range(count):
            tracer = listed[first + n]
            start[n, 0], start[n, 1] = position[tracer, 0], position[tracer, 1]
        flow_at_all(interpolation, start, count, flow, length, first_row, found)
        for n in range(count):
            half[n, 0] = half_way(start[n, 0], time_step * found[n, 0])
            half[n, 1] = half_way(start[n, 1], time_step * found[n, 1])
        flow_at_all(interpolation, half, count, flow, length, first_row, found)
        for n in range(count):
            tracer = listed[first + n]
            position[tracer, 0] = start[n, 0] + time_step * found[n, 0]
            position[tracer, 1] = start[n, 1] + time_step * found[n, 1]


@compiled
def find_outside(position, start, stop, length, found):
    """Find the tracers that are not on rows [start, stop).

    Parameters
    ----------
    position : float64 array, shape (tracers, 2)
    length : int
        Lx.
    found : int64 array, shape (tracers,)
        Written: their numbers, in order.

    Returns
    -------
    int
        How many there are.
    """
    count = 0
    for n in range(position.shape[0]):
        row = row_below(position[n, 0], length, start)
        if not 0 <= row < stop - start:
            found[count] = n
            count += 1
    return count
