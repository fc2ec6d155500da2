"""Transforms of lines by SIMD across lines: several rows, or several columns, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike, NDArray

from epmpi.devices.cpu.compiler import compiled
from epmpi.devices.cpu.fourier import lines, real_lines
from epmpi.devices.cpu.fourier.column_pass import Kernels, convolve_columns, halved
from epmpi.devices.cpu.fourier.library_lines import Columns, LibraryLines, fill_halo
from epmpi.devices.cpu.fourier.plans import has_plan, line_plan, row_plan, workspace
from epmpi.devices.cpu.vector_memory import lanes
from epmpi.devices.cpu.vectors import REGISTER_BYTES

CACHE_LINE = 64  # bytes
# Responses that the last cache could not keep until they are read are written past it.
CACHED_BYTES = 1 << 24
STRIPS = 4  # of columns that go through one kernel before the next, if there are several


@compiled
def transform_all_rows(rows, spectra, work, plan):
    """Transform real rows (n, Ly) into spectra (n, Ly // 2 + 1), W at a time."""
    for row in range(0, rows.shape[0], lanes(work)):
        real_lines.transform_rows(rows, row, spectra, row, work, plan)


@compiled
def restore_all_rows(spectra, rows, work, plan):
    """Transform spectra (n, Ly // 2 + 1) back into real rows (n, Ly), W at a time."""
    for row in range(0, rows.shape[0], lanes(work)):
        real_lines.restore_rows(spectra, row, rows, row, work, plan)


@compiled
def transform_all_columns(exchanged, spectrum, work, line):
    """Transform the columns (Lx, ky) of a field into its spectrum (ky, Lx), W at a time."""
    width = lanes(work)
    for column in range(0, exchanged.shape[1], width):
        lines.load_columns(exchanged, column, work, line)
        lines.forward(work, line)
        real_lines.scatter(work, 0, width, spectrum, column, 2 * line.length)


@compiled
def restore_all_columns(spectrum, exchanged, work, line):
    """Transform the spectrum (ky, Lx) of a field back into columns (Lx, ky), W at a time."""
    width = lanes(work)
    for column in range(0, exchanged.shape[1], width):
        real_lines.gather(spectrum, column, 2 * line.length, work, 0, width)
        lines.inverse(work, line)
        lines.store_columns(work, line, exchanged, column, False)


def _is_aligned(array: NDArray) -> bool:
    """Tell whether vectors of an array's columns begin on multiples of their length."""
    return array.ctypes.data % REGISTER_BYTES == 0 and not any(
        stride % REGISTER_BYTES for stride in array.strides[:-1]
    )


class VectorLines(LibraryLines):
    """Transforms of the rows and columns of a lattice whose sides have no prime factor above 31.

    Parameters
    ----------
    shape : (Lx, Ly)
    dtype : dtype
        float64 or float32, of the fields.

    Attributes
    ----------
    row_plan, work
        Plan and work area of the transforms of rows; see `real_lines.transform_rows`.

    Raises
    ------
    ValueError
        If a side has no plan; see `VectorLines.fits`.
    """

    name = "vector"

    def __init__(self, shape: tuple[int, int], dtype: DTypeLike) -> None:
        super().__init__(shape, dtype)
        length, width = shape
        self._columns = line_plan(length, self.dtype)
        self.row_plan = row_plan(width, self.dtype)
        self.work = workspace(max(shape), self.dtype)
        self._spectra = workspace(max(shape), self.dtype, STRIPS + 1)

    @staticmethod
    def fits(shape: tuple[int, int], dtype: DTypeLike) -> bool:
        """Tell whether both sides of a lattice have plans."""
        return all(has_plan(length, dtype) for length in shape)

    def transform_rows(self, rows: NDArray, spectra: NDArray) -> None:
        """Transform real rows (n, fields, Ly) into spectra (n, fields, Ly // 2 + 1)."""
        for field in range(rows.shape[1]):
            transform_all_rows(rows[:, field], spectra[:, field], self.work, self.row_plan)

    def restore_rows(self, spectra: NDArray, rows: NDArray) -> None:
        """Transform spectra (n, fields, Ly // 2 + 1) back into real rows (n, fields, Ly)."""
        for field in range(rows.shape[1]):
            restore_all_rows(spectra[:, field], rows[:, field], self.work, self.row_plan)

    def transform_columns(self, exchanged: NDArray, spectrum: NDArray) -> None:
        """Transform columns into spectra; see `LibraryLines.transform_columns`."""
        for field, modes in enumerate(spectrum):
            transform_all_columns(exchanged[:, field], modes, self.work, self._columns)

    def restore_columns(self, spectrum: NDArray, exchanged: NDArray) -> None:
        """Transform spectra back into columns; see `LibraryLines.restore_columns`."""
        for field, modes in enumerate(spectrum):
            restore_all_columns(modes, exchanged[:, field], self.work, self._columns)

    def pitch(self, modes: int) -> int:
        """Return the distance of spectra in memory: whole cache lines, so that strips are too."""
        line = CACHE_LINE // self.complex_dtype.itemsize
        return -(-modes // line) * line

    def table(self, fields: int, modes: int, columns: Columns) -> Kernels:
        """Return kernels as `convolve` reads them; see `column_pass.halved`."""
        return halved((fields, modes, self.shape[0]), columns, self.dtype)

    def convolve(
        self,
        source: NDArray,
        kernels: Kernels,
        imaginary: Sequence[bool],
        responses: NDArray,
        before: int,
    ) -> None:
        """Multiply a source by kernels in Fourier space; see `LibraryLines.convolve`."""
        odd, sources = np.array(imaginary), source.shape[1]
        spectra = self._spectra if len(imaginary) > 1 else self._spectra[: self.work.size]
        of_all_ranks = len(responses) * responses.strides[0]  # bytes; they share the last cache
        streamed = of_all_ranks > CACHED_BYTES and _is_aligned(responses)
        for number in range(sources):
            convolve_columns(
                source[:, number], kernels.half, kernels.signs, odd, responses[:, number::sources],
                before, streamed, self.work, spectra, self._columns,
            )  # fmt: skip
        fill_halo(responses, self.shape[0], before)
