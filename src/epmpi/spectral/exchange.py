"""The all-to-all between rows and columns of a transform, and the convolution built on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from epmpi.spectral.transform import Convolution

if TYPE_CHECKING:
    from epmpi.spectral.slab import SlabFFT


class Exchange:
    """The all-to-all between rows and columns of some fields, with its two arrays.

    `pieces` holds, for each rank of columns, ``(local rows, field, ky of that rank)``; `columns`
    holds ``(Lx, field, ky of this rank)``.  On the way back to rows the halo rows travel too.
    """

    def __init__(self, fft: SlabFFT, fields: int, halo: tuple[int, int]) -> None:
        self.fft = fft
        self.fields = fields
        before, after = halo
        extra = before + after
        local, length = fft.slab.rows + extra, fft.lattice.shape[0] + extra
        if fft.communicator.size == 1:  # nothing moves, and rows may begin on cache lines
            pitch = fft.lines.pitch(fft.modes)
            whole = fft.device.empty((length, fields, pitch), fft.complex_dtype)
            self.columns = whole[:, :, : fft.modes]
            self.pieces = [self.columns]
            return
        self._row_parts, start = [], 0
        for first, last in fft.mode_blocks:
            count = local * fields * (last - first)
            self._row_parts.append((start, count))
            start += count
        line = fields * fft.modes
        self._column_parts = [(s.start * line, (s.rows + extra) * line) for s in fft.slabs]
        self._rows = fft.device.empty((start,), fft.complex_dtype)
        self._columns = fft.device.empty((length * line,), fft.complex_dtype)
        self.columns = self._columns.reshape(length, fields, fft.modes)
        self.pieces = [
            self._rows[start : start + count].reshape(local, fields, last - first)
            for (start, count), (first, last) in zip(self._row_parts, fft.mode_blocks, strict=True)
        ]

    def send_rows(self, rows: NDArray, first: int = 0) -> None:
        """Transform real rows (n, fields, Ly) and lay them out from local row `first` on."""
        n = len(rows)
        if len(self.pieces) == 1:
            self.fft.lines.transform_rows(rows, self.pieces[0][first : first + n])
            return
        shape = n, self.fields, self.fft.lattice.modes
        spectra = self.fft.device.empty(shape, self.fft.complex_dtype)
        self.fft.lines.transform_rows(rows, spectra)
        for piece, (begin, end) in zip(self.pieces, self.fft.mode_blocks, strict=True):
            piece[first : first + n] = spectra[..., begin:end]

    def receive_rows(self, begin: int, end: int, fields: Sequence[int], rows: NDArray) -> None:
        """Restore some fields of the array rows begin ... end into real `rows` (n, fields, Ly)."""
        chosen = slice(fields[0], fields[-1] + 1)
        if len(self.pieces) == 1:
            self.fft.lines.restore_rows(self.pieces[0][begin:end, chosen], rows)
            return
        shape = end - begin, len(fields), self.fft.lattice.modes
        spectra = self.fft.device.empty(shape, self.fft.complex_dtype)
        for piece, (first, last) in zip(self.pieces, self.fft.mode_blocks, strict=True):
            spectra[..., first:last] = piece[begin:end, chosen]
        self.fft.lines.restore_rows(spectra, rows)

    def to_columns(self) -> NDArray:
        """Exchange rows for columns; return the array (Lx, fields, ky).  Collective."""
        if self.fft.communicator.size == 1:
            return self.columns
        self.fft.carrier.exchange(self._rows, self._row_parts, self._columns, self._column_parts)
        return self.columns

    def to_rows(self) -> None:
        """Exchange columns for rows.  Collective."""
        if self.fft.communicator.size == 1:
            return
        self.fft.carrier.exchange(self._columns, self._column_parts, self._rows, self._row_parts)


class SourceInPlace(Exchange):
    """On one rank, a source that lies where the first field of the responses will.

    A strip of columns is read before its responses are written, and a block of rows is read before
    its new source is: the source needs no memory of its own, nor the time to fetch it.
    """

    def __init__(self, response: Exchange, before: int) -> None:
        self.fft = response.fft
        self.fields = 1
        self.columns = response.columns[before : before + self.fft.lattice.shape[0], :1]
        self.pieces = [self.columns]

    def to_columns(self) -> NDArray:
        """Return the array (Lx, 1, ky); nothing moves."""
        return self.columns


class SlabConvolution(Convolution):
    """A step's passes over memory: rows of the source forward, columns, rows of the responses back.

    The rows are worked on block by block, while they are in cache: `row_blocks` names the blocks.
    One step is, for each block, `responses` and `set_source`, then `apply`.

    Parameters
    ----------
    fft : SlabFFT
    kernels : float array, shape (responses, ky of this rank, Lx)
    imaginary : sequence of bool
        Whether a kernel is to be multiplied by i.
    halo : (before, after)
        Rows beyond the slab in which the responses are wanted too.
    """

    def __init__(
        self, fft: SlabFFT, kernels: NDArray, imaginary: Sequence[bool], halo: tuple[int, int]
    ) -> None:
        self.fft = fft
        self.halo = halo
        self._imaginary = tuple(imaginary)
        self._kernels = fft.lines.prepare(kernels / fft.lattice.sites)
        self._response = Exchange(fft, len(kernels), halo)
        if fft.communicator.size == 1:
            self._source: Exchange = SourceInPlace(self._response, halo[0])
        else:
            self._source = Exchange(fft, 1, (0, 0))
        rows, width = fft.slab.shape
        height = fft.device.block_rows(width * fft.dtype.itemsize)
        self.row_blocks = [(r, min(r + height, rows)) for r in range(0, rows, height)]
        self._block_source = fft.device.empty((min(height, rows), width), fft.dtype)
        self._block_response = fft.device.empty((min(height, rows), 1, width), fft.dtype)

    def source_block(self, begin: int, end: int) -> NDArray:
        """Return the array (rows, Ly) in which to write the source of local rows begin ... end."""
        return self._block_source[: end - begin]

    def set_source(self, begin: int, end: int) -> None:
        """Transform the source of local rows begin ... end, from `source_block`."""
        self._source.send_rows(self._block_source[: end - begin, None], begin)

    def apply(self) -> None:
        """Turn the source into the responses.  Collective."""
        source = self._source.to_columns()
        self.fft.lines.convolve(
            source, self._kernels, self._imaginary, self._response.columns, self.halo[0]
        )
        self._response.to_rows()

    def response_block(self, field: int, begin: int, end: int) -> NDArray:
        """Return a response in local rows begin ... end, (rows, Ly), valid until the next call."""
        rows = self._block_response[: end - begin]
        before = self.halo[0]
        self._response.receive_rows(begin + before, end + before, [field], rows)
        return rows[:, 0]

    def responses(self, fields: Sequence[int], out: NDArray) -> None:
        """Write responses in all local rows and their halo into `out` (fields, rows + halo, Ly)."""
        total, height = out.shape[1], len(self._block_source)
        for begin in range(0, total, height):
            end = min(begin + height, total)
            for target, field in zip(out, fields, strict=True):
                self._response.receive_rows(begin, end, [field], target[begin:end, None])
