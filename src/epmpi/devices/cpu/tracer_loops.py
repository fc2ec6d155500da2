"""Loops over tracers: the velocity of the medium at their positions, and their moves.

The local rows of a field stand in an array with halo rows: row r holds x = first_row + r.  A tracer
of the slab finds all sites of its interpolation there.  Positions are unwrapped; y is periodic.
"""

from __future__ import annotations

import math

import numpy as np

from epmpi.devices.cpu.compiler import compiled, inlined, rules

linear_weights = rules.linear_weights
spline_slopes = rules.spline_slopes
spline_weights = rules.spline_weights

BILINEAR, NEAREST, STREAM = range(3)
INTERPOLATIONS = {"bilinear": BILINEAR, "nearest": NEAREST, "stream": STREAM}
HALF_WAY = 1.0  # lattice spacings: rows that a midpoint may be beyond the slab


@inlined
def wrap(index, length):
    """Return index modulo length, 0 ... length - 1, for any integer.

    Also for the one that a position that is not finite gives: it must not lead out of an array.
    Few tracers are beyond the lattice, and a division takes as long as the rest.
    """
    return index if 0 <= index < length else index % length


@inlined
def column(index, width):
    """Return index modulo width, unsigned: Numba need not ask whether it counts from the end."""
    return np.uint64(wrap(index, width))


@inlined
def local_row(x, length, first_row):
    """Return the row of the local array that holds floor(x), and the fraction beyond it."""
    below = math.floor(x)
    return int(wrap(below - first_row, length)), x - below


@inlined
def move_one_bilinear(position, n, velocity, time_step, length, first_row):
    """Move tracer n with the velocity interpolated bilinearly between the four sites around it.

    Parameters
    ----------
    position : float64 array, shape (tracers, 2)
        Unwrapped (x, y), in lattice spacings; updated in place.
    velocity : float array, shape (2, rows + 1, Ly)
        (u_x, u_y) of the rows from `first_row` on, in spacings per unit of time.
    time_step : float
        What the velocity is multiplied by.
    length : int
        Lx.
    first_row : int
        x of the first row of `velocity`.
    """
    width = velocity.shape[2]
    i, fx = local_row(position[n, 0], length, first_row)
    below = math.floor(position[n, 1])
    fy = position[n, 1] - below
    j, k = column(below, width), column(below + 1, width)
    x0, x1 = linear_weights(fx)
    y0, y1 = linear_weights(fy)
    for component in range(2):
        u = velocity[component]
        here = y0 * u[i, j] + y1 * u[i, k]
        next_row = y0 * u[i + 1, j] + y1 * u[i + 1, k]
        position[n, component] += time_step * (x0 * here + x1 * next_row)


@inlined
def move_one_nearest(position, n, velocity, time_step, length, first_row):
    """Move tracer n with the velocity of the nearest site; see `move_one_bilinear`."""
    width = velocity.shape[2]
    i, fx = local_row(position[n, 0], length, first_row)
    if fx >= 0.5:
        i += 1
    j = column(math.floor(position[n, 1] + 0.5), width)
    position[n, 0] += time_step * velocity[0, i, j]
    position[n, 1] += time_step * velocity[1, i, j]


@inlined
def move_one_along_stream(position, n, stream, time_step, length, first_row):
    """Move tracer n with the curl of the cubic B-spline interpolant of the stream function.

    ``u = (d psi/dy, -d psi/dx)`` of the interpolant itself: divergence-free everywhere.

    Parameters
    ----------
    stream : float array, shape (1, rows + 3, Ly)
        B-spline coefficients of psi; row 0 holds x = first_row - 1.
    position, n, time_step, length, first_row
        As in `move_one_bilinear`.
    """
    width = stream.shape[2]
    i, fx = local_row(position[n, 0], length, first_row)
    below = math.floor(position[n, 1])
    fy = position[n, 1] - below
    columns = (
        column(below - 1, width),
        column(below, width),
        column(below + 1, width),
        column(below + 2, width),
    )
    weights_x = spline_weights(fx)
    slopes_x = spline_slopes(fx)
    weights_y = spline_weights(fy)
    slopes_y = spline_slopes(fy)
    along_x = 0.0
    along_y = 0.0
    for a in range(4):
        here = stream[0, i + a, columns[0]]
        value = weights_y[0] * here
        slope = slopes_y[0] * here
        for b in range(1, 4):
            here = stream[0, i + a, columns[b]]
            value += weights_y[b] * here
            slope += slopes_y[b] * here
        along_x += weights_x[a] * slope
        along_y -= slopes_x[a] * value
    position[n, 0] += time_step * along_x
    position[n, 1] += time_step * along_y


@inlined
def move_one(interpolation, position, n, flow, time_step, length, first_row):
    """Move tracer n with the flow that is interpolated in one of the three ways."""
    if interpolation == BILINEAR:
        move_one_bilinear(position, n, flow, time_step, length, first_row)
    elif interpolation == NEAREST:
        move_one_nearest(position, n, flow, time_step, length, first_row)
    else:
        move_one_along_stream(position, n, flow, time_step, length, first_row)


@inlined
def hold_near(position, n, x, y):
    """Leave tracer n within `HALF_WAY` of (x, y) in each direction."""
    position[n, 0] = min(max(position[n, 0], x - HALF_WAY), x + HALF_WAY)
    position[n, 1] = min(max(position[n, 1], y - HALF_WAY), y + HALF_WAY)


@inlined
def move_one_by_midpoint(interpolation, position, n, flow, time_step, length, first_row):
    """Move tracer n with the flow half way along its path: ``r += u(r + u(r) dt / 2) dt``.

    The error of its path is of second order in the displacement.  Half way is at most `HALF_WAY`
    away, so that the rows of the flow that are there suffice.
    """
    x, y = position[n, 0], position[n, 1]
    move_one(interpolation, position, n, flow, 0.5 * time_step, length, first_row)
    hold_near(position, n, x, y)
    half_x, half_y = position[n, 0], position[n, 1]
    move_one(interpolation, position, n, flow, time_step, length, first_row)
    position[n, 0] = x + (position[n, 0] - half_x)
    position[n, 1] = y + (position[n, 1] - half_y)


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
        row, _ = local_row(position[n, 0], length, start)
        if not 0 <= row < stop - start:
            found[count] = n
            count += 1
    return count


@compiled
def move_bilinear(position, velocity, time_step, length, first_row):
    """Move all tracers; see `move_one_bilinear`."""
    for n in range(position.shape[0]):
        move_one_bilinear(position, n, velocity, time_step, length, first_row)


@compiled
def move_nearest(position, velocity, time_step, length, first_row):
    """Move all tracers; see `move_one_nearest`."""
    for n in range(position.shape[0]):
        move_one_nearest(position, n, velocity, time_step, length, first_row)


@compiled
def move_along_stream(position, stream, time_step, length, first_row):
    """Move all tracers; see `move_one_along_stream`."""
    for n in range(position.shape[0]):
        move_one_along_stream(position, n, stream, time_step, length, first_row)


@compiled
def move_by_midpoint(interpolation, position, flow, time_step, length, first_row):
    """Move all tracers; see `move_one_by_midpoint`."""
    for n in range(position.shape[0]):
        move_one_by_midpoint(interpolation, position, n, flow, time_step, length, first_row)
