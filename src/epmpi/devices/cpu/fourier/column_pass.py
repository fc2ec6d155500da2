"""The column pass of a step: columns of the source forward, times kernels, and back, W at a time.

A strip of W columns stays in the second-level cache meanwhile.  The spectra of a few strips are
kept there together, and all go through one kernel before the next: a strip touches a page of memory
for every row, and so fewer pages are in use at a time.  Kernels are even or odd in kx, so half of
each is kept, in the order in which it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from epmpi.devices.cpu.compiler import compiled
from epmpi.devices.cpu.fourier import lines
from epmpi.devices.cpu.fourier.library_lines import Columns, slices_of_columns
from epmpi.devices.cpu.fourier.plans import line_width
from epmpi.devices.cpu.vector_memory import fence, lanes, load, scaled_by, store
from epmpi.devices.cpu.vectors import turned
from epmpi.physics.propagators import parity


@compiled
def multiply_strip(spectrum, kernel, sign, imaginary, product, length):
    """Multiply the spectrum of W columns by a kernel, given for 0 <= kx <= Lx / 2.

    Parameters
    ----------
    spectrum, product : float arrays
        Of `workspace`; the second is written.
    kernel : float array, shape (Lx // 2 + 1, W)
    sign : float
        The kernel at -kx over that at kx: 1 if it is even, -1 if it is odd.
    imaginary : bool
        Whether the kernel is to be multiplied by i.
    length : int
        Lx.
    """
    width = lanes(product)
    for x in range(length // 2 + 1):
        for mirrored in range(1 if 2 * x % length == 0 else 2):
            point = length - x if mirrored else x
            mode = scaled_by(load(spectrum, point), kernel, x * width)
            factor = sign if mirrored else 1.0
            store(product, point, turned(mode) * -factor if imaginary else mode * factor)


@compiled
def convolve_columns(
    source, kernels, signs, imaginary, responses, before, streamed, work, spectra, line
):
    """Multiply the columns of a source by kernels in Fourier space, W columns at a time.

    Parameters
    ----------
    source : complex array, shape (Lx, ky)
    kernels : float array, shape (strips, fields, Lx // 2 + 1, W)
    signs, imaginary : float and bool arrays, shape (fields,)
        See `multiply_strip`.
    responses : complex array, shape (Lx + halo, fields, ky)
        Written; row r holds x = r - before, periodically.
    before : int
    streamed : bool
        Whether to write the responses past the caches.
    work, spectra : float arrays
        Of `workspace`; the second has one strip more than are worked on together.
    line : LinePlan
    """
    length, columns = source.shape
    width, size = lanes(work), work.size // 2
    together = (spectra.size // size - 1) * width
    for first in range(0, columns, together):
        end = min(first + together, columns)
        for column in range(first, end, width):
            # Its spectrum stays in the first of two strips; the second is the next one's first.
            strip = spectra[(column - first) // width * size :][: 2 * size]
            lines.load_columns(source, column, strip, line)
            lines.forward(strip, line)
        for field in range(kernels.shape[1]):
            target = responses[before : before + length, field]
            for column in range(first, end, width):
                strip = spectra[(column - first) // width * size :][:size]
                kernel = kernels[column // width, field]
                multiply_strip(strip, kernel, signs[field], imaginary[field], work, length)
                lines.inverse(work, line)
                lines.store_columns(work, line, target, column, streamed)
    fence()


class Kernels(NamedTuple):
    """Kernels in Fourier space, of which half is enough: they are even or odd in kx.

    Attributes
    ----------
    half : float array, shape (strips of W columns, fields, Lx // 2 + 1, W)
        In the order in which it is read; columns beyond the last are zero.
    signs : float64 array, shape (fields,)
        1 for an even kernel, -1 for an odd one.
    """

    half: NDArray
    signs: NDArray[np.float64]


def halved(shape: tuple[int, int, int], columns: Columns, dtype: DTypeLike) -> Kernels:
    """Return kernels as the column pass reads them, in a precision.

    Parameters
    ----------
    shape : (fields, ky, Lx)
    columns : Columns
    dtype : dtype

    Raises
    ------
    ValueError
        If a kernel is neither even nor odd in kx.
    """
    fields, modes, length = shape
    width = line_width(dtype)
    half = np.zeros((-(-modes // width), fields, length // 2 + 1, width), dtype)

    def kept(field: int) -> Iterator[NDArray]:
        """Keep half of a kernel; yield all of it, some columns at a time."""
        for some in slices_of_columns(modes, length):
            found = columns(field, some)
            for column, values in enumerate(found, some.start):
                half[column // width, field, :, column % width] = values[: half.shape[2]]
            yield found

    return Kernels(half, np.array([parity(kept(field)) for field in range(fields)]))
