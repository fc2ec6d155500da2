"""The flow at a tracer by its interpolation, and the move of the tracer with it.

Plain functions for one tracer, as those of `rules` are for one site: the devices compile them.

The local rows of a field are an array with halo rows: row r holds x = first_row + r.  A tracer of
the slab, and half way along its path, finds all sites of its interpolation there.  Positions are
unwrapped; y is periodic.
"""

from __future__ import annotations

import math

import numpy as np

BILINEAR, NEAREST, STREAM = range(3)
INTERPOLATIONS = {"bilinear": BILINEAR, "nearest": NEAREST, "stream": STREAM}
HALF_WAY = 1.0  # lattice spacings: rows that a midpoint may be beyond the slab


def linear_weights(fraction):
    """Return the weights of the two sites around a point at `fraction` of a spacing."""
    return 1.0 - fraction, fraction


def spline_weights(fraction):
    """Return the four weights B of the uniform cubic B-spline, at offsets -1, 0, 1, 2.

    `fraction` in [0, 1) is the distance to the site at offset 0.  They sum to 1.
    """
    f = fraction
    g = 1.0 - f
    return (
        g * g * g * (1.0 / 6.0),
        2.0 / 3.0 - f * f * (1.0 - 0.5 * f),
        2.0 / 3.0 - g * g * (1.0 - 0.5 * g),
        f * f * f * (1.0 / 6.0),
    )


def spline_slopes(fraction):
    """Return the derivatives of `spline_weights` with respect to `fraction`.  They sum to 0."""
    f = fraction
    g = 1.0 - f
    return -0.5 * g * g, f * (1.5 * f - 2.0), -g * (1.5 * g - 2.0), 0.5 * f * f


def wrap(index, length):
    """Return index modulo length, 0 ... length - 1, for any integer.

    Also for the one that a position that is not finite gives: it must not lead out of an array.
    Few tracers are beyond the lattice, and a division takes as long as the rest.
    """
    return index if 0 <= index < length else index % length


def place(index, length):
    """Return index modulo length, unsigned: Numba need not ask whether it counts from the end."""
    return np.uint64(wrap(index, length))


def local_row(x, length, first_row):
    """Return the row of the local array that holds floor(x), and the fraction beyond it."""
    below = math.floor(x)
    return place(below - first_row, length), x - below


def row_below(x, length, first_row):
    """Return the row of the local array that holds floor(x), as a number to count with."""
    return np.int64(local_row(x, length, first_row)[0])


def flow_bilinear(x, y, velocity, length, first_row):
    """Return the velocity (u_x, u_y) interpolated bilinearly between the four sites around (x, y).

    Parameters
    ----------
    x, y : float
        Unwrapped, in lattice spacings.
    velocity : float array, shape (2, rows + halo, Ly)
        (u_x, u_y) of the rows from `first_row` on, in spacings per unit of time.
    length : int
        Lx.
    first_row : int
        x of the first row of `velocity`.
    """
    width = velocity.shape[2]
    i, fx = local_row(x, length, first_row)
    below = math.floor(y)
    fy = y - below
    j, k = place(below, width), place(below + 1, width)
    x0, x1 = linear_weights(fx)
    y0, y1 = linear_weights(fy)
    one = np.uint64(1)
    u, v, i1 = velocity[0], velocity[1], i + one
    along_x = x0 * (y0 * u[i, j] + y1 * u[i, k]) + x1 * (y0 * u[i1, j] + y1 * u[i1, k])
    along_y = x0 * (y0 * v[i, j] + y1 * v[i, k]) + x1 * (y0 * v[i1, j] + y1 * v[i1, k])
    return along_x, along_y


def flow_nearest(x, y, velocity, length, first_row):
    """Return the velocity of the site nearest to (x, y); see `flow_bilinear`."""
    width = velocity.shape[2]
    i, fx = local_row(x, length, first_row)
    if fx >= 0.5:
        i += np.uint64(1)
    j = place(math.floor(y + 0.5), width)
    return float(velocity[0, i, j]), float(velocity[1, i, j])


def flow_along_stream(x, y, stream, length, first_row):
    """Return the curl of the cubic B-spline interpolant of the stream function at (x, y).

    ``u = (d psi/dy, -d psi/dx)`` of the interpolant itself: divergence-free everywhere.

    Parameters
    ----------
    stream : float array, shape (1, rows + halo, Ly)
        B-spline coefficients of psi; row 0 holds x = first_row - 1.
    x, y, length, first_row
        As in `flow_bilinear`.
    """
    width = stream.shape[2]
    i, fx = local_row(x, length, first_row)
    below = math.floor(y)
    fy = y - below
    columns = (
        place(below - 1, width),
        place(below, width),
        place(below + 1, width),
        place(below + 2, width),
    )
    weights_x = spline_weights(fx)
    slopes_x = spline_slopes(fx)
    weights_y = spline_weights(fy)
    slopes_y = spline_slopes(fy)
    along_x = 0.0
    along_y = 0.0
    for a in range(4):
        row = i + np.uint64(a)
        here = stream[0, row, columns[0]]
        value = weights_y[0] * here
        slope = slopes_y[0] * here
        for b in range(1, 4):
            here = stream[0, row, columns[b]]
            value += weights_y[b] * here
            slope += slopes_y[b] * here
        along_x += weights_x[a] * slope
        along_y -= slopes_x[a] * value
    return along_x, along_y


def flow_at(interpolation, x, y, flow, length, first_row):
    """Return the flow (u_x, u_y) at (x, y), interpolated in one of the three ways."""
    if interpolation == BILINEAR:
        return flow_bilinear(x, y, flow, length, first_row)
    if interpolation == NEAREST:
        return flow_nearest(x, y, flow, length, first_row)
    return flow_along_stream(x, y, flow, length, first_row)


def half_way(x, displacement):
    """Return x half way along a displacement, at most `HALF_WAY` from where it was."""
    half = 0.5 * displacement
    if abs(half) > HALF_WAY:
        half = math.copysign(HALF_WAY, half)
    return x + half


def move_one(interpolation, position, n, flow, time_step, length, first_row):
    """Move tracer n with the flow half way along its path; see `move_listed`."""
    x, y = position[n, 0], position[n, 1]
    u, v = flow_at(interpolation, x, y, flow, length, first_row)
    x_half, y_half = half_way(x, time_step * u), half_way(y, time_step * v)
    u, v = flow_at(interpolation, x_half, y_half, flow, length, first_row)
    position[n, 0] = x + time_step * u
    position[n, 1] = y + time_step * v
