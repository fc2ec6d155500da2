"""Complex lines: a strip of W of them, transformed side by side; the columns of an array.

Every line goes through the same operations, so its result depends neither on its neighbours nor on
its place.  Both directions are unscaled: forward exp(-2 pi i j k / n), inverse its conjugate.

A strip is ``[n][2][W]`` in a work array (`workspace`) that has room for two.  Spectra are always in
the first: point k of lane l has its real part at ``work[2 W k + l]``, its imaginary part at
``work[2 W k + W + l]``.  What belongs to real space is where the passes start or end (`space`).
"""

from __future__ import annotations

import numpy as np

from epmpi.devices.cpu.compiler import compiled
from epmpi.devices.cpu.fourier.butterflies import (
    first_pass_of_eight,
    last_pass_of_eight,
    pass_of_four,
    pass_of_two,
)
from epmpi.devices.cpu.fourier.odd_butterflies import (
    pass_of_five,
    pass_of_prime,
    pass_of_seven,
    pass_of_three,
)
from epmpi.devices.cpu.vector_memory import (
    lanes,
    load,
    load_adjacent,
    store,
    store_adjacent,
    stream_adjacent,
)


@compiled
def second_strip(work):
    """Return the point at which the second strip of a work array begins."""
    return work.size // (4 * lanes(work))


@compiled
def space(work, line):
    """Return the point at which a strip in real space begins; passes alternate between two."""
    return second_strip(work) * (len(line.passes) % 2)


@compiled
def _transform(work, line, source, inverse):
    """Make all passes over the strip at point `source`."""
    target = second_strip(work) - source
    roots = line.roots
    direction = inverse * (roots.size // 2)
    for number in range(len(line.passes)):
        radix, m = line.passes[number, 0], line.passes[number, 1]
        s, t = line.passes[number, 2], line.passes[number, 3] + direction
        if radix == 4:
            pass_of_four(work, source, target, m, s, roots, t, inverse)
        elif radix == 3:
            pass_of_three(work, source, target, m, s, roots, t, inverse)
        elif radix == 5:
            pass_of_five(work, source, target, m, s, roots, t, inverse)
        elif radix == 2:
            pass_of_two(work, source, target, m, s, roots, t)
        elif radix == 7:
            pass_of_seven(work, source, target, m, s, roots, t, inverse)
        elif radix > 8:
            pass_of_prime(work, source, target, radix, m, s, roots, t)
        elif s == 1:
            first_pass_of_eight(work, source, target, m, roots, t, inverse)
        else:
            last_pass_of_eight(work, source, target, s, inverse)
        source, target = target, source


# The direction goes as an integer variable: for a literal Numba would compile every pass again.


@compiled
def forward(work, line):
    """Transform a strip of complex lines from real space into its spectrum."""
    _transform(work, line, space(work, line), np.int64(0))


@compiled
def inverse(work, line):
    """Transform the spectrum of a strip of complex lines back; it is lost."""
    _transform(work, line, np.int64(0), np.int64(1))


@compiled
def load_columns(array, column, work, line):
    """Take columns `column` ... column + W - 1 of an array into a strip in real space.

    Parameters
    ----------
    array : complex array, shape (length, columns)
        Where it ends the strip repeats the last column.
    column : int
    work : float array
        Of `workspace`.
    line : LinePlan
    """
    point = space(work, line)
    width = lanes(work)
    count = min(width, array.shape[1] - column)
    pitch = array.strides[0] // array.itemsize
    for x in range(line.length):
        if count == width:
            store(work, point + x, load_adjacent(array, x * pitch + column))
        else:
            at = 2 * width * (point + x)
            for lane in range(width):
                mode = array[x, column + min(lane, count - 1)]
                work[at + lane] = mode.real
                work[at + width + lane] = mode.imag


@compiled
def store_columns(work, line, array, column, streamed):
    """Put a strip in real space into columns `column` ... of an array, as far as it has them.

    Parameters
    ----------
    streamed : bool
        Whether to write past the caches; see `stream_adjacent`.  `fence` must follow.
    """
    point = space(work, line)
    width = lanes(work)
    count = min(width, array.shape[1] - column)
    pitch = array.strides[0] // array.itemsize
    for x in range(line.length):
        if count == width and streamed:
            stream_adjacent(array, x * pitch + column, load(work, point + x))
        elif count == width:
            store_adjacent(array, x * pitch + column, load(work, point + x))
        else:
            at = 2 * width * (point + x)
            for lane in range(count):
                array[x, column + lane] = complex(work[at + lane], work[at + width + lane])
