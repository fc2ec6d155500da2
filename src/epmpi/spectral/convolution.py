"""The convolution on slabs: rows of the source forward, columns, rows of the responses back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from epmpi.spectral.exchange import Exchange, ToColumns
from epmpi.spectral.transform import Convolution, Kernel, RowSpectra, Transform


class SlabConvolution(Convolution):
    """The responses to a source on slabs: rows block by block, columns strip by strip.

    A strip of columns is worked on while others travel.

    Parameters
    ----------
    imaginary : sequence of bool
        Whether a kernel is to be multiplied by i.
    halo : (before, after)
        Rows beyond the slab in which the responses are wanted too.
    source, response : ToColumns, Exchange
        Of the source, and of the responses with their halo; of the same strips.
    """

    def __init__(
        self,
        fft: Transform,
        kernels: Sequence[Kernel],
        imaginary: Sequence[bool],
        halo: tuple[int, int],
        source: ToColumns,
        response: Exchange,
    ) -> None:
        self.fft = fft
        self._lines = fft.lines
        self.count = len(kernels)
        self.halo = halo
        self._imaginary = tuple(imaginary)
        self._source, self._response = source, response
        widths = [response.columns(strip).shape[2] for strip in range(response.strips)]
        self._kernels = [
            self._lines.tabulate(kernels, fft.kx, ky, fft.lattice.sites)
            for ky in np.split(fft.ky, np.cumsum(widths[:-1]))
        ]  # of each strip
        rows, width = fft.slab.shape
        height = fft.device.block_rows(width * fft.dtype.itemsize)
        self.row_blocks = [(r, min(r + height, rows)) for r in range(0, rows, height)]
        self._block_source = fft.device.empty((min(height, rows), width), fft.dtype)
        self._block_response = fft.device.empty((min(height, rows), 1, width), fft.dtype)

    def row_spectra(self) -> RowSpectra | None:
        """Return the spectra of the rows where all are in memory in one piece."""
        rows = self.fft.slab.rows
        responses = self._response.rows(0, rows + sum(self.halo))
        source = self._source.rows(0, rows)
        if responses is None or source is None:
            return None
        return RowSpectra(responses, source[:, 0], self._lines)

    def source_block(self, begin: int, end: int) -> NDArray:
        """Return the array (rows, Ly) in which to write the source of local rows begin ... end."""
        return self._block_source[: end - begin]

    def set_source(self, begin: int, end: int) -> None:
        """Transform the source of local rows begin ... end, from `source_block`."""
        self._source.send_rows(self._block_source[: end - begin, None], begin)

    def apply(self) -> None:
        """Turn the source into the responses.  Collective."""
        for strip, kernels in enumerate(self._kernels):
            source, response = self._source.to_columns(strip), self._response.columns(strip)
            self._lines.convolve(source, kernels, self._imaginary, response, self.halo[0])
            self._response.to_rows(strip)

    def response_block(self, field: int, begin: int, end: int) -> NDArray:
        """Return a response in local rows begin ... end, (rows, Ly), valid until the next call."""
        rows = self._block_response[: end - begin]
        before = self.halo[0]
        self._response.receive_rows(begin + before, end + before, [field], rows)
        return rows[:, 0]

    def responses(self, fields: Sequence[int], out: NDArray, first: int = 0) -> None:
        """Write responses into `out` (fields, rows, Ly), from a row of the slab with halo on."""
        total, height = out.shape[1], len(self._block_source)
        if self._response.rows(0, total) is not None:
            height = total  # all at once
        for begin in range(0, total, height):
            end = min(begin + height, total)
            for target, field in zip(out, fields, strict=True):
                rows = target[begin:end, None]
                self._response.receive_rows(first + begin, first + end, [field], rows)
