"""An exchange by messages, in chunks of rows that overlap with work.

A chunk is sent as soon as its rows are transformed, and on the way back a row is waited for when it
is needed: messages overlap with work on other rows.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.physics.lattice import split
from epmpi.spectral.exchange import CutRows
from epmpi.spectral.transform import Transform
from epmpi.spectral.transport import Parts

CHUNK_BYTES = 1 << 17  # of a message, so that its latency does not matter
MOST_CHUNKS = 2  # by TCP each one more costs a tenth of a step, and spares none; see performance.md


class ByMessages(CutRows):
    """The all-to-all between rows and columns of some fields.

    A rank keeps its rows as one piece for each rank of columns, ``(local rows, field, ky of that
    rank)``, and its columns as ``(x, field, ky)``: a chunk of rows is contiguous on both sides.
    The halo rows travel on the way back.  In these two arrays, the wire's, numbers may be rounded
    to single precision.

    Parameters
    ----------
    wire : dtype
        Of the spectra that travel.
    halo : (before, after)
    """

    def __init__(
        self,
        fft: Transform,
        wire: np.dtype,
        fields: int,
        halo: tuple[int, int],
    ) -> None:
        extra = sum(halo)
        super().__init__(fft, fields, extra)
        self.wire = np.dtype(wire)
        empty = fft.device.empty
        widths = [last - first for first, last in fft.mode_blocks]
        local, length = fft.slab.rows + extra, fft.lattice.shape[0] + extra
        starts = [local * fields * first for first, _ in fft.mode_blocks]
        self._rows = empty((local * fields * sum(widths),), wire)
        self._parts = [
            self._rows[start : start + local * fields * width].reshape(local, fields, width)
            for start, width in zip(starts, widths, strict=True)
        ]
        self._wire = empty((length * fields * fft.modes,), wire)
        self._columns = self._wire.reshape(length, fields, fft.modes)
        if wire != fft.complex_dtype:
            self._columns = empty(self._columns.shape, fft.complex_dtype)
        self._cut(starts, [fields * width for width in widths], extra)
        self._given = 0  # rows transformed, in their order
        self._left = 0  # chunks of rows that are on their way
        self._travelling: list[Any] = []  # exchanges begun, a chunk each
        # Neither may these arrays vanish, nor MPI be left, while messages use them.
        weakref.finalize(self, _await, self._travelling, None)

    def _cut(self, starts: list[int], lines: list[int], extra: int) -> None:
        """Cut the rows of every rank into chunks: what goes to, or comes from, each rank in each.

        Parameters
        ----------
        starts, lines : list of int
            Where the pieces begin, and numbers in a row of them.
        extra : int
            Halo rows.
        """
        fft, rank = self._fft, self._fft.communicator.rank
        mine = lines[rank]
        chunks = _chunks(fft, mine // fft.modes * self._wire.itemsize)
        cuts = [split(slab.rows + extra, chunks) for slab in fft.slabs]
        self._ends = [end for _, end in cuts[rank]]  # of this rank's chunks
        self._row_parts: list[Parts] = [
            [(at + begin * n, (end - begin) * n) for at, n in zip(starts, lines, strict=True)]
            for begin, end in cuts[rank]
        ]
        self._column_parts: list[Parts] = [
            [
                ((slab.start + begin) * mine, (end - begin) * mine)
                for slab, (begin, end) in zip(fft.slabs, chunk, strict=True)
            ]
            for chunk in zip(*cuts, strict=True)
        ]

    def columns(self, strip: int = 0) -> NDArray:
        """Return the array (Lx + halo, fields, ky), once all messages from it have been sent."""
        _await(self._travelling, None)
        return self._columns

    def send_rows(self, rows: NDArray, first: int = 0) -> None:
        """Transform rows, and send the chunks that they complete."""
        super().send_rows(rows, first)
        if first == self._given:
            self._given += len(rows)
            self._send(sum(end <= self._given for end in self._ends))

    def to_columns(self, strip: int = 0) -> NDArray:
        """Wait for the rows of all ranks.  Collective."""
        self._send(len(self._ends))
        self._given = self._left = 0
        _await(self._travelling, None)
        self._travelling.clear()
        if self._columns.dtype != self._wire.dtype:
            self._columns[...] = self._wire.reshape(self._columns.shape)
        return self._columns

    def to_rows(self, strip: int = 0) -> None:
        """Begin to send the columns.  Collective."""
        if self._columns.dtype != self._wire.dtype:
            self._wire.reshape(self._columns.shape)[...] = self._columns
        self._travelling[:] = [
            self._begin(self._wire, columns, self._rows, rows)
            for columns, rows in zip(self._column_parts, self._row_parts, strict=True)
        ]

    def receive_rows(self, begin: int, end: int, fields: Sequence[int], rows: NDArray) -> None:
        """Wait for rows and restore them."""
        _await(self._travelling, 1 + sum(chunk < end for chunk in self._ends))
        super().receive_rows(begin, end, fields, rows)

    def _pieces(self, first: int, count: int) -> Iterator[tuple[NDArray, tuple[int, int]]]:
        for part, modes in zip(self._parts, self._fft.mode_blocks, strict=True):
            yield part[first : first + count], modes

    def _send(self, chunks: int) -> None:
        """Begin to send chunks of rows, up to a number of them."""
        for chunk in range(self._left, chunks):
            parts = self._row_parts[chunk], self._wire, self._column_parts[chunk]
            self._travelling.append(self._begin(self._rows, *parts))
        self._left = max(self._left, chunks)

    def _begin(self, send: NDArray, sent: Parts, receive: NDArray, received: Parts) -> Any:
        return self._fft.communicator.begin_exchange(send, sent, receive, received)


def _await(travelling: list[Any], chunks: int | None) -> None:
    """Wait until the first chunks have arrived, or all."""
    for request in travelling[:chunks]:
        request.Wait()  # at once, if that was done before


def _chunks(fft: Transform, mode_bytes: int) -> int:
    """Return the number of chunks in which rows are sent; `mode_bytes`: of all fields."""
    ranks = fft.communicator.size
    rows, modes = fft.lattice.shape[0] // ranks, fft.lattice.modes // ranks
    message = rows * modes * mode_bytes
    return max(1, min(MOST_CHUNKS, rows, message // CHUNK_BYTES))
