"""The convolution of a step: rows of the source forward, columns, rows of the responses back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from epmpi.devices import SiteUpdate, TracerMove
from epmpi.spectral.exchange import Exchange, OneMemory
from epmpi.spectral.transform import Convolution

if TYPE_CHECKING:
    from epmpi.spectral.slab import SlabFFT


class SlabConvolution(Convolution):
    """A step's passes over memory: rows of the source forward, columns, rows of the responses back.

    The rows are worked on block by block, while they are in cache: `row_blocks` names the blocks.
    Where the spectra of rows lie in one piece and the lines have loops for them, a pass is one.

    Parameters
    ----------
    fft : SlabFFT
    kernels : float array, shape (responses, ky of this rank, Lx)
    imaginary : sequence of bool
        Whether a kernel is to be multiplied by i.
    halo : (before, after)
        Rows beyond the slab in which the responses are wanted too.
    """

    fft: SlabFFT

    def __init__(
        self, fft: SlabFFT, kernels: NDArray, imaginary: Sequence[bool], halo: tuple[int, int]
    ) -> None:
        self.fft = fft
        self.halo = halo
        self._imaginary = tuple(imaginary)
        self._kernels = fft.lines.prepare(kernels / fft.lattice.sites)
        self._response = fft.exchange(len(kernels), halo)
        self._source = self._exchange_of_source()
        rows, width = fft.slab.shape
        height = fft.device.block_rows(width * fft.dtype.itemsize)
        self.row_blocks = [(r, min(r + height, rows)) for r in range(0, rows, height)]
        self._block_source = fft.device.empty((min(height, rows), width), fft.dtype)
        self._block_response = fft.device.empty((min(height, rows), 1, width), fft.dtype)

    def _exchange_of_source(self) -> Exchange:
        """Return the exchange of the source, in the memory of the responses where that is safe.

        A strip of columns is read before its responses are written there, and a block of rows is
        read before its new source is; but a halo row may be read when its owner has gone on.
        """
        response = self._response
        alone = self.fft.communicator.size == 1
        if isinstance(response, OneMemory) and (alone or self.halo == (0, 0)):
            return response.part(self.halo[0], self.fft.lattice.shape[0])
        return self.fft.source_exchange()

    def source_block(self, begin: int, end: int) -> NDArray:
        """Return the array (rows, Ly) in which to write the source of local rows begin ... end."""
        return self._block_source[: end - begin]

    def set_source(self, begin: int, end: int) -> None:
        """Transform the source of local rows begin ... end, from `source_block`."""
        self._source.send_rows(self._block_source[: end - begin, None], begin)

    def prepare_flow(self, fields: int) -> None:
        """Make room for a flow, unless tracers move row by row along its spectra."""
        if not self._moves_by_rows():
            super().prepare_flow(fields)

    def move_tracers(self, fields: Sequence[int], move: TracerMove) -> None:
        """Move the tracers of the slab, in one loop where the spectra of rows lie in one piece."""
        response, halo = self._response, sum(self.halo)
        if isinstance(response, OneMemory) and self._moves_by_rows():
            rows = response.rows(0, self.fft.slab.rows + halo)
            self.fft.lines.move_tracers(rows[:, fields[0] : fields[-1] + 1], halo, move)
        else:
            super().move_tracers(fields, move)

    def _moves_by_rows(self) -> bool:
        return self.fft.lines.one_loop and isinstance(self._response, OneMemory)

    def pass_rows(self, field: int, update: SiteUpdate) -> Iterator[int]:
        """Advance all local rows, in one loop where the spectra of rows lie in one piece."""
        response, source = self._response, self._source
        one_loop = self.fft.lines.one_loop
        if one_loop and isinstance(response, OneMemory) and isinstance(source, OneMemory):
            rows, before = self.fft.slab.rows, self.halo[0]
            responses = response.rows(before, before + rows)[:, field]
            self.fft.lines.advance_rows(responses, source.rows(0, rows)[:, 0], update)
            yield 0
        else:
            yield from super().pass_rows(field, update)

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
        if isinstance(self._response, OneMemory):
            height = total  # straight from there to here
        for begin in range(0, total, height):
            end = min(begin + height, total)
            for target, field in zip(out, fields, strict=True):
                self._response.receive_rows(begin, end, [field], target[begin:end, None])
