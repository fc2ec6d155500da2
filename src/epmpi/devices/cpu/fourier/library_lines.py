"""Transforms of lines by NumPy's pocketfft: any length, for reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

STRIP_BYTES = 1 << 17  # a strip of columns, and its product with a kernel, stay in the second cache
APART = 4  # numbers between lines: a power of two apart they would fall on the same cache lines
TABULATED = 1 << 15  # numbers of a kernel that are worked out at a time, in the second cache too

# Some columns (ky, Lx) of a kernel, by its number and a slice of ky.
Columns = Callable[[int, slice], NDArray]


def slices_of_columns(modes: int, length: int) -> Iterator[slice]:
    """Yield slices of the columns of a kernel (ky, Lx), each of so many that they stay in cache."""
    width = max(1, TABULATED // length)
    for first in range(0, modes, width):
        yield slice(first, min(first + width, modes))


def fill_halo(responses: NDArray, length: int, before: int) -> None:
    """Fill the halo rows of responses (Lx + halo, fields, ky) with their periodic images.

    NumPy copies rows as fast as a loop of Numba's, which would take seconds to compile.
    """
    after = len(responses) - length - before
    responses[:before] = responses[length : length + before]
    responses[before + length :] = responses[before : before + after]


class LibraryLines:
    """Transforms of the rows and columns of one lattice, unscaled, exp(-i q x) forward.

    The arrays of the columns are those of the exchange, ``(x, field, ky)``.

    Parameters
    ----------
    shape : (Lx, Ly)
    dtype : dtype
        float64 or float32, of the fields.
    """

    name = "numpy"

    def __init__(self, shape: tuple[int, int], dtype: DTypeLike) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.complex_dtype = np.result_type(self.dtype, np.complex64)

    def pitch(self, modes: int) -> int:
        """Return the distance in memory, in modes, of the spectra of two rows on one rank."""
        return modes

    def transform_rows(self, rows: NDArray, spectra: NDArray) -> None:
        """Transform real rows (n, fields, Ly) into spectra (n, fields, Ly // 2 + 1)."""
        np.fft.rfft(rows, axis=-1, out=spectra)

    def restore_rows(self, spectra: NDArray, rows: NDArray) -> None:
        """Transform spectra (n, fields, Ly // 2 + 1) back into real rows (n, fields, Ly)."""
        np.fft.irfft(spectra, n=rows.shape[-1], axis=-1, norm="forward", out=rows)

    def transform_columns(self, exchanged: NDArray, spectrum: NDArray) -> None:
        """Transform the columns of exchanged fields into their spectra.

        Parameters
        ----------
        exchanged : complex array, shape (Lx, fields, ky)
        spectrum : complex array, shape (fields, ky, Lx)
            Written.
        """
        np.fft.fft(exchanged.transpose(1, 2, 0), axis=-1, out=spectrum)

    def restore_columns(self, spectrum: NDArray, exchanged: NDArray) -> None:
        """Transform spectra back along x; the inverse of `transform_columns` times Lx."""
        np.fft.ifft(spectrum, axis=-1, norm="forward", out=exchanged.transpose(1, 2, 0))

    def tabulate(
        self, kernels: Sequence[Callable[..., NDArray]], kx: NDArray, ky: NDArray, sites: float
    ) -> Any:
        """Return kernels at wavenumbers kx, (1, Lx), and ky, (modes, 1), over `sites`.

        In the layout and precision that `convolve` reads.  They are worked out field by field, some
        columns at a time: of whole fields no more is in memory than what is kept.
        """

        def columns(field: int, some: slice) -> NDArray:
            found = kernels[field](kx, ky[some]) / sites
            return np.broadcast_to(found, (len(ky[some]), kx.size))

        return self.table(len(kernels), len(ky), columns)

    def table(self, fields: int, modes: int, columns: Columns) -> Any:
        """Return kernels as `convolve` reads them, given some columns at a time."""
        length = self.shape[0]
        kept = np.empty((fields, modes, length), self.dtype)
        for field, table in enumerate(kept):
            for some in slices_of_columns(modes, length):
                table[some] = columns(field, some)
        return kept

    def convolve(
        self,
        source: NDArray,
        kernels: Any,
        imaginary: Sequence[bool],
        responses: NDArray,
        before: int,
    ) -> None:
        """Multiply sources by kernels in Fourier space: columns forward, product, columns back.

        Parameters
        ----------
        source : complex array, shape (Lx, sources, ky)
            Rows already transformed; one source, or those of a batch of lattices.
        kernels
            Of `table`.  Each response is a source times its kernel, or times i kernel.
        imaginary : sequence of bool
            One a response.
        responses : complex array, shape (Lx + halo, fields x sources, ky)
            Written; row r holds x = r - before, periodically.  The response of source s to kernel
            k is k x sources + s.
        """
        length, sources, columns = source.shape
        inner = responses[before : before + length]
        width = max(4, STRIP_BYTES // (length * self.complex_dtype.itemsize))
        work = np.empty((2, width, length + APART), self.complex_dtype)[:, :, :length]
        for number in range(sources):
            for first in range(0, columns, width):
                some = slice(first, min(first + width, columns))
                strip, product = work[:, : some.stop - first]
                np.fft.fft(source[:, number, some].T, axis=-1, out=strip)
                for field, odd in enumerate(imaginary):
                    kernel = kernels[field, some]
                    if odd:
                        np.multiply(strip.imag, -kernel, out=product.real)
                        np.multiply(strip.real, kernel, out=product.imag)
                    else:
                        np.multiply(strip, kernel, out=product)
                    target = inner[:, field * sources + number, some].T
                    np.fft.ifft(product, axis=-1, norm="forward", out=target)
        fill_halo(responses, length, before)
