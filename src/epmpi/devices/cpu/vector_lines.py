"""Transforms of lines by SIMD across lines: several rows, or several columns, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike, NDArray

from epmpi.devices.cpu import flow_pass, lines, real_lines
from epmpi.devices.cpu.column_pass import Kernels, convolve_columns, halved
from epmpi.devices.cpu.compiler import compiled
from epmpi.devices.cpu.library_lines import LibraryLines
from epmpi.devices.cpu.line_plans import has_plan, line_plan, line_width, row_plan, workspace
from epmpi.devices.cpu.row_pass import advance_rows
from epmpi.devices.cpu.vector_memory import lanes
from epmpi.devices.cpu.vectors import REGISTER_BYTES
from epmpi.devices.site_update import SiteUpdate
from epmpi.devices.tracer_move import TracerMove

CACHE_LINE = 64  # bytes
NO_SITES = np.empty(0, np.int64)
# Responses that the last cache could not keep until they are read are written past it.
CACHED_BYTES = 1 << 24
STRIPS = 4  # of columns that go through one kernel before the next, if there are several
FLOW_BYTES = 1 << 17  # the rows of the flow that are in the second-level cache at a time


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


@compiled
def fill_halo(responses, length, before):
    """Fill the halo rows of responses (Lx + halo, fields, ky) with their periodic images."""
    for row in range(before):
        responses[row] = responses[row + length]
    for row in range(before + length, responses.shape[0]):
        responses[row] = responses[row - length]


_INTERPOLATIONS = {
    "bilinear": flow_pass.BILINEAR,
    "nearest": flow_pass.NEAREST,
    "stream": flow_pass.STREAM,
}


def _is_aligned(array: NDArray) -> bool:
    """Tell whether vectors of an array's columns begin on multiples of their length."""
    return array.ctypes.data % REGISTER_BYTES == 0 and not any(
        stride % REGISTER_BYTES for stride in array.strides[:-1]
    )


class VectorLines(LibraryLines):
    """Transforms of the rows and columns of a lattice whose sides are 2^a 3^b 5^c.

    Parameters
    ----------
    shape : (Lx, Ly)
    dtype : dtype
        float64 or float32, of the fields.

    Raises
    ------
    ValueError
        If a side has no plan; see `VectorLines.fits`.
    """

    name = "vector"
    one_loop = True

    def __init__(self, shape: tuple[int, int], dtype: DTypeLike) -> None:
        super().__init__(shape, dtype)
        length, width = shape
        self._columns = line_plan(length, self.dtype)
        self._rows = row_plan(width, self.dtype)
        self._work = workspace(max(shape), self.dtype)
        self._spectra = workspace(max(shape), self.dtype, STRIPS + 1)
        self._strip = np.empty((line_width(self.dtype), width), self.dtype)

    def advance_rows(self, responses: NDArray, sources: NDArray, update: SiteUpdate) -> None:
        """Advance all rows of a slab by one step, W at a time; see `row_pass.advance_rows`.

        Parameters
        ----------
        responses, sources : complex array, shape (rows, Ly // 2 + 1)
            Spectra of the stress rate, and of the new directions, written.
        update : SiteUpdate
        """
        none = update.begun is None
        began = advance_rows(
            responses, sources, self._strip, self._work, self._rows, update.stress,
            update.plastic_strain, update.direction, np.uint64(update.seed), update.step[0],
            np.uint64(update.first_site), update.forcing, update.parameters,
            NO_SITES if none else update.begun,
        )  # fmt: skip
        update.events[0] += began
        update.events[1] = began

    def move_tracers(self, responses: NDArray, halo: int, move: TracerMove) -> None:
        """Move the tracers of a slab along a flow, a few rows at a time; see `flow_pass`.

        Parameters
        ----------
        responses : complex array, shape (rows + halo, fields, Ly // 2 + 1)
            Spectra of the rows of the flow.
        halo : int
        move : TracerMove
        """
        fields, width = responses.shape[1], self.shape[1]
        starts = np.empty(len(responses) - halo + 1, np.int64)
        order = np.empty(len(move.position), np.int64)
        flow_pass.order_by_row(move.position, move.length, move.first_row, starts, order)
        lanes = line_width(self.dtype)
        height = max(1, FLOW_BYTES // (lanes * fields * width * self.dtype.itemsize)) * lanes
        flow = np.empty((fields, height + halo, width), self.dtype)
        flow_pass.move_along_rows(
            responses, flow, self._work, self._rows, _INTERPOLATIONS[move.interpolation],
            move.position, starts, order, move.time_step, move.length, move.first_row,
        )  # fmt: skip

    @staticmethod
    def fits(shape: tuple[int, int], dtype: DTypeLike) -> bool:
        """Tell whether both sides of a lattice have plans."""
        return all(has_plan(length, dtype) for length in shape)

    def transform_rows(self, rows: NDArray, spectra: NDArray) -> None:
        """Transform real rows (n, fields, Ly) into spectra (n, fields, Ly // 2 + 1)."""
        for field in range(rows.shape[1]):
            transform_all_rows(rows[:, field], spectra[:, field], self._work, self._rows)

    def restore_rows(self, spectra: NDArray, rows: NDArray) -> None:
        """Transform spectra (n, fields, Ly // 2 + 1) back into real rows (n, fields, Ly)."""
        for field in range(rows.shape[1]):
            restore_all_rows(spectra[:, field], rows[:, field], self._work, self._rows)

    def transform_columns(self, exchanged: NDArray, spectrum: NDArray) -> None:
        """Transform columns into spectra; see `LibraryLines.transform_columns`."""
        for field, modes in enumerate(spectrum):
            transform_all_columns(exchanged[:, field], modes, self._work, self._columns)

    def restore_columns(self, spectrum: NDArray, exchanged: NDArray, before: int) -> None:
        """Transform spectra back into columns; see `LibraryLines.restore_columns`."""
        inner = exchanged[before : before + self.shape[0]]
        for field, modes in enumerate(spectrum):
            restore_all_columns(modes, inner[:, field], self._work, self._columns)
        fill_halo(exchanged, self.shape[0], before)

    def pitch(self, modes: int) -> int:
        """Return the distance of spectra in memory: whole cache lines, so that strips are too."""
        line = CACHE_LINE // self.complex_dtype.itemsize
        return -(-modes // line) * line

    def prepare(self, kernels: NDArray) -> Kernels:
        """Return kernels (fields, ky, Lx) as `convolve` reads them; see `column_pass.halved`."""
        return halved(kernels, self.dtype)

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
        spectra = self._spectra if len(imaginary) > 1 else self._spectra[: self._work.size]
        of_all_ranks = len(responses) * responses.strides[0]  # bytes; they share the last cache
        streamed = of_all_ranks > CACHED_BYTES and _is_aligned(responses)
        for number in range(sources):
            convolve_columns(
                source[:, number], kernels.half, kernels.signs, odd, responses[:, number::sources],
                before, streamed, self._work, spectra, self._columns,
            )  # fmt: skip
        fill_halo(responses, self.shape[0], before)
