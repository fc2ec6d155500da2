"""Real lines: rows of a field, W at a time, and their spectra ``(row, ky)``, ky = 0 ... n // 2.

Each row is transformed by itself (as half as many complex points, if it is even), never in one with
another, so that its result does not depend on its neighbours.  Both directions are unscaled.

The last axis of every array must be contiguous; the array may be a view of a larger one.
"""

from __future__ import annotations

from epmpi.devices.cpu.compiler import compiled
from epmpi.devices.cpu.fourier.lines import forward, inverse, second_strip, space
from epmpi.devices.cpu.vector_memory import broadcast, lanes, load, store, transpose
from epmpi.devices.cpu.vectors import conjugate, multiply_add


@compiled
def gather(array, row, count, work, start, step):
    """Take `count` real numbers of W rows into a strip, number i of lane l to start + step i + l.

    The last tile overlaps the one before; a strip beyond the last row repeats it.
    """
    width = lanes(work)
    pitch = array.strides[0] // work.itemsize
    rows = min(width, array.shape[0] - row)
    for tile in range((count + width - 1) // width):
        i = min(tile * width, count - width)
        transpose(array, row * pitch + i, pitch, rows, work, start + step * i, step, width)


@compiled
def scatter(work, start, step, array, row, count):
    """Put `count` real numbers of W lanes into rows; the reverse of `gather`."""
    width = lanes(work)
    pitch = array.strides[0] // work.itemsize
    rows = min(width, array.shape[0] - row)
    for tile in range((count + width - 1) // width):
        i = min(tile * width, count - width)
        transpose(work, start + step * i, step, width, array, row * pitch + i, pitch, rows)


@compiled
def transform_rows(rows, row, spectra, spectrum, work, plan):
    """Transform real rows `row` ... row + W - 1 into spectra, rows `spectrum` ... of an array.

    Parameters
    ----------
    rows : float array, shape (rows, length)
    row : int
        First row; the strip ends with the array.
    spectra : complex array, shape (spectra, length // 2 + 1)
        Written.
    spectrum : int
        Where the spectrum of the first row goes.
    work : float array
        Of `workspace`.
    plan : RowPlan
    """
    width = lanes(work)
    even = plan.length % 2 == 0
    start = 2 * width * space(work, plan.line)
    if not even:
        work[start : start + 2 * width * plan.length] = 0
    gather(rows, row, plan.length, work, start, width if even else 2 * width)
    forward(work, plan.line)
    if even:
        _separate(work, plan, spectra, spectrum)
    else:
        scatter(work, 0, width, spectra, spectrum, plan.length + 1)


@compiled
def restore_rows(spectra, spectrum, rows, row, work, plan):
    """Transform spectra back into real rows; the inverse of `transform_rows` times the length.

    As with `numpy.fft.irfft`, imaginary parts that a real line cannot have are ignored.
    """
    width = lanes(work)
    even = plan.length % 2 == 0
    if even:
        _combine(spectra, spectrum, work, plan)
    else:
        gather(spectra, spectrum, plan.length + 1, work, 0, width)
        work[width : 2 * width] = 0
        for k in range(1, plan.length // 2 + 1):
            store(work, plan.length - k, conjugate(load(work, k)))
    inverse(work, plan.line)
    start = 2 * width * space(work, plan.line)
    scatter(work, start, width if even else 2 * width, rows, row, plan.length)


@compiled
def _separate(work, plan, spectra, spectrum):
    """Turn the spectra z of points (even site, odd site) into those of real rows, of h = n/2 + 1.

    With e = z(k) + z*(h - k), o = -i exp(-2 pi i k / n) (z(k) - z*(h - k)), the spectrum at k is
    (e + o) / 2, at h - k the conjugate of (e - o) / 2.  A tile of W of each at a time is
    transposed into the array; the middle of the spectrum may be written twice.
    """
    width = lanes(work)
    half = plan.length // 2
    pitch = 2 * (spectra.strides[0] // spectra.itemsize)
    rows = min(width, spectra.shape[0] - spectrum)
    low = second_strip(work)
    high = low + width
    store(work, half, load(work, 0))
    for first in range(0, half // 2 + 1, width):
        for i in range(width):
            k = first + i
            a = load(work, k)
            b = conjugate(load(work, half - k))
            even = (a + b) * 0.5
            odd = (a - b) * broadcast(plan.turns, k)
            store(work, low + i, multiply_add(odd, 0.5, even))
            store(work, high + width - 1 - i, conjugate(multiply_add(odd, -0.5, even)))
        for tile in range(2):
            at = width * (2 * low + tile * width)
            to = spectrum * pitch + 2 * first + tile * width
            transpose(work, at, width, width, spectra, to, pitch, rows)
            at = width * (2 * high + tile * width)
            to = spectrum * pitch + 2 * (half - first - width + 1) + tile * width
            transpose(work, at, width, width, spectra, to, pitch, rows)


@compiled
def _combine(spectra, spectrum, work, plan):
    """Turn the spectra of real rows into those of points (even site, odd site); see `_separate`."""
    width = lanes(work)
    half = plan.length // 2
    pitch = 2 * (spectra.strides[0] // spectra.itemsize)
    rows = min(width, spectra.shape[0] - spectrum)
    low = second_strip(work)
    high = low + width
    for first in range(0, half // 2 + 1, width):
        for tile in range(2):
            at = spectrum * pitch + 2 * first + tile * width
            to = width * (2 * low + tile * width)
            transpose(spectra, at, pitch, rows, work, to, width, width)
            at = spectrum * pitch + 2 * (half - first - width + 1) + tile * width
            to = width * (2 * high + tile * width)
            transpose(spectra, at, pitch, rows, work, to, width, width)
        if first == 0:
            for lane in range(width):
                work[width * (2 * low + 1) + lane] = 0
                work[width * (2 * (high + width - 1) + 1) + lane] = 0
        for i in range(width):
            k = first + i
            a = load(work, low + i)
            b = conjugate(load(work, high + width - 1 - i))
            even = a + b
            odd = (a - b) * conjugate(broadcast(plan.turns, k))
            store(work, k, even + odd)
            store(work, half - k, conjugate(even - odd))
