"""The CPU: NumPy arrays, line transforms of a kept library, loops compiled by Numba.

A device is an object with the methods below; the model never asks which one it has.
"""

from __future__ import annotations

import platform

import numpy as np
from numpy.typing import DTypeLike, NDArray

from epmpi.devices.cpu import column_loops, site_loops, tracer_loops

# A block of rows, or a strip of columns, stays in the second-level cache with its transforms.
BLOCK_BYTES = 1 << 18

_NONE = np.empty(0, np.int64)

_MOVES = {
    "bilinear": tracer_loops.move_bilinear,
    "nearest": tracer_loops.move_nearest,
    "stream": tracer_loops.move_along_stream,
}


class CPU:
    """One core: what the layers above need of arrays, transforms of lines, and compiled loops."""

    name = "cpu"

    def describe(self) -> str:
        """Return the processor's name."""
        return platform.processor() or platform.machine()

    # Arrays.

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Return an array on the device; its pages are touched here, not in the first step."""
        return np.zeros(shape, dtype)

    zeros = empty

    def asarray(self, host: NDArray) -> NDArray:
        """Return a host array on the device."""
        return host

    def to_host(self, array: NDArray) -> NDArray:
        """Return an array on the host; here it is the same array, not a copy."""
        return array

    # Transforms of lines, unscaled in both directions, exp(-i q x) forward.

    def block_rows(self, row_bytes: int) -> int:
        """Return how many rows to work on at a time."""
        return max(1, BLOCK_BYTES // row_bytes)

    def transform_rows(self, rows: NDArray, spectra: NDArray) -> None:
        """Transform real rows (n, Ly) into spectra (n, Ly // 2 + 1)."""
        np.fft.rfft(rows, axis=-1, out=spectra)

    def restore_rows(self, spectra: NDArray, rows: NDArray) -> None:
        """Transform spectra (n, Ly // 2 + 1) back into real rows (n, Ly); inverse, unscaled."""
        np.fft.irfft(spectra, n=rows.shape[-1], axis=-1, norm="forward", out=rows)

    def transform_columns(self, exchanged: NDArray, spectrum: NDArray) -> None:
        """Transform the columns of exchanged fields into their spectra.

        Parameters
        ----------
        exchanged : complex array, shape (Lx, fields, ky)
        spectrum : complex array, shape (fields, ky, Lx)
            Written.
        """
        for field, first, strip in self._strips(exchanged.shape, spectrum.dtype):
            column_loops.gather_strip(exchanged, field, first, strip)
            np.fft.fft(strip, axis=-1, out=spectrum[field, first : first + len(strip)])

    def restore_columns(self, spectrum: NDArray, exchanged: NDArray, before: int) -> None:
        """Transform spectra back along x and lay them out for the exchange, halo rows included.

        Parameters
        ----------
        spectrum : complex array, shape (fields, ky, Lx)
        exchanged : complex array, shape (Lx + halo, fields, ky)
            Written; row r holds x = r - before, periodically.
        """
        fields, columns, length = spectrum.shape
        for field, first, strip in self._strips((length, fields, columns), spectrum.dtype):
            lines = spectrum[field, first : first + len(strip)]
            np.fft.ifft(lines, axis=-1, norm="forward", out=strip)
            column_loops.scatter_strip(strip, exchanged, field, first, before)

    def convolve_columns(
        self,
        source: NDArray,
        kernels: NDArray,
        imaginary: tuple[bool, ...],
        responses: NDArray,
        before: int,
    ) -> None:
        """Multiply a source by kernels in Fourier space: columns forward, product, columns back.

        Parameters
        ----------
        source : complex array, shape (Lx, 1, ky)
            Rows already transformed.
        kernels : float array, shape (fields, ky, Lx)
            Each field of the response is the source times its kernel, or times i kernel.
        imaginary : tuple of bool
            One a field.
        responses : complex array, shape (Lx + halo, fields, ky)
            Written; row r holds x = r - before, periodically.
        """
        for _, first, strip in self._strips(source.shape, source.dtype):
            column_loops.gather_strip(source, 0, first, strip)
            np.fft.fft(strip, axis=-1, out=strip)
            product = np.empty_like(strip)
            for field, odd in enumerate(imaginary):
                kernel = kernels[field, first : first + len(strip)]
                column_loops.multiply_strip(strip, kernel, odd, product)
                np.fft.ifft(product, axis=-1, norm="forward", out=product)
                column_loops.scatter_strip(product, responses, field, first, before)

    def _strips(self, shape, dtype):
        """Yield (field, first column, work array) that cover exchanged fields (Lx, fields, ky)."""
        length, fields, columns = shape
        padded = length + 4  # rows a power of two apart would fall on the same cache lines
        width = max(4, BLOCK_BYTES // (2 * length * np.dtype(dtype).itemsize))
        work = np.empty((width, padded), dtype)
        for field in range(fields):
            for first in range(0, columns, width):
                yield field, first, work[: min(width, columns - first), :length]

    # The physics, site by site and tracer by tracer.

    def advance_sites(
        self,
        stress: NDArray,
        plastic_strain: NDArray,
        direction: NDArray,
        stress_rate: NDArray,
        source: NDArray,
        seed: int,
        step: int,
        first_site: int,
        forcing: tuple[float, float],
        parameters: tuple[int, float, float, float, float, float],
        begun: NDArray[np.int64] | None = None,
    ) -> int:
        """Advance a block of rows by one step; see `site_loops.advance_sites`.

        All arrays have the shape (rows, Ly), but for `begun`, with room for an index of each of
        these sites.  Returns the number of events that began.
        """
        return site_loops.advance_sites(
            stress.reshape(-1),
            plastic_strain.reshape(-1),
            direction.reshape(-1),
            stress_rate.reshape(-1),
            source.reshape(-1),
            np.uint64(seed),
            np.uint64(step),
            np.uint64(first_site),
            forcing,
            parameters,
            _NONE if begun is None else begun,
        )

    def row_sums(self, stress: NDArray, plastic_strain: NDArray, direction: NDArray) -> NDArray:
        """Return the sums of sigma, sigma^2, eps_pl and n over each row, on the host: (rows, 4)."""
        sums = np.empty((len(stress), 4))
        site_loops.sum_rows(stress, plastic_strain, direction, sums)
        return sums

    def draw_uniforms(self, seed: int, stream: int, step: int, first: int, count: int) -> NDArray:
        """Return the uniforms of [0, 1) of `count` consecutive sites, shape (count,), float64."""
        drawn = np.empty(count)
        site_loops.fill_uniforms(
            drawn, np.uint64(seed), np.uint64(stream), np.uint64(step), np.uint64(first)
        )
        return drawn

    def move_tracers(
        self,
        interpolation: str,
        position: NDArray,
        flow: NDArray,
        time_step: float,
        length: int,
        first_row: int,
    ) -> None:
        """Move tracers (n, 2) along a flow with halo rows; see `tracer_loops`."""
        _MOVES[interpolation](position, flow, time_step, length, first_row)
