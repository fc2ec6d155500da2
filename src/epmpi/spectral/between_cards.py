"""The exchange between ranks on GPUs, in strips of columns, sent while others are transformed.

A rank keeps its rows as one piece for each strip of each rank, ``(local rows, fields, ky of the
strip)``, and its columns strip by strip, ``(x, fields, ky of the strip)``: what a strip exchanges
with a rank is contiguous on both sides.  Where the carrier has a queue of its own (NCCL), a strip
travels while the columns of the next are transformed; elsewhere there is one strip.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.physics.lattice import split
from epmpi.spectral.exchange import CutRows
from epmpi.spectral.transform import Transform
from epmpi.spectral.transport import Parts, Transport

MOST_STRIPS = 4
STRIP_MESSAGE = 1 << 20  # bytes between two ranks, so that its latency does not matter


class BetweenCards(CutRows):
    """The all-to-all between rows and columns of some fields, on GPUs.

    Parameters
    ----------
    wire : dtype
        Of the spectra that travel.
    halo : (before, after)
        Rows that travel on the way back to rows, too.
    strips : int
        The same on all ranks; at most the fewest ky of a rank.
    """

    def __init__(
        self,
        fft: Transform,
        wire: np.dtype,
        carrier: Transport,
        fields: int,
        halo: tuple[int, int],
        strips: int = 1,
    ) -> None:
        extra, rank = sum(halo), fft.communicator.rank
        super().__init__(fft, fields, extra)
        self.strips, self._carrier = strips, carrier
        self._device = device = fft.device
        self._local, length = fft.slab.rows + extra, fft.lattice.shape[0] + extra
        cuts = [split(last - first, strips) for first, last in fft.mode_blocks]
        pieces = [
            [(first + low, high - low) for low, high in cut]
            for (first, _), cut in zip(fft.mode_blocks, cuts, strict=True)
        ]
        self._rows = device.empty((self._local * fields * fft.lattice.modes,), wire)
        self._set_tables([piece for of_rank in pieces for piece in of_rank])
        self._row_parts: list[Parts] = [
            [(self._local * fields * low, self._local * fields * width) for low, width in strip]
            for strip in zip(*pieces, strict=True)
        ]
        shapes = [(length, fields, high - low) for low, high in cuts[rank]]
        self._wires = [device.empty((int(np.prod(shape)),), wire) for shape in shapes]
        self._strips = [
            flat.reshape(shape) if wire == fft.complex_dtype
            else device.empty(shape, fft.complex_dtype)
            for flat, shape in zip(self._wires, shapes, strict=True)
        ]  # fmt: skip
        self._column_parts: list[Parts] = [
            [(slab.start * line, (slab.rows + extra) * line) for slab in fft.slabs]
            for line in (fields * width for _, width in pieces[rank])
        ]
        self._arriving: list[Any] = []  # a token of each strip
        self._leaving: list[Any] = []

    def _set_tables(self, pieces: list[tuple[int, int]]) -> None:
        """Store on the device, for each mode, first ky and width of its piece."""
        low = np.concatenate([np.full(width, first) for first, width in pieces])
        width = np.concatenate([np.full(width, width) for _, width in pieces])
        asarray = self._device.asarray
        self._tables = asarray(low.astype(np.int64)), asarray(width.astype(np.int64))

    def columns(self, strip: int = 0) -> NDArray:
        """Return the columns (Lx + halo, fields, ky) of a strip."""
        return self._strips[strip]

    def to_columns(self, strip: int = 0) -> NDArray:
        """Return the columns (Lx, fields, ky) of a strip, when they have arrived from all ranks.

        The rows of all strips are sent with the first one.  Collective.
        """
        if strip == 0:
            self._arriving = [
                self._carry(self._rows, rows, wire, columns)
                for rows, wire, columns in zip(
                    self._row_parts, self._wires, self._column_parts, strict=True
                )
            ]
        self._device.after(self._arriving[strip])
        columns, flat = self._strips[strip], self._wires[strip]
        if columns.dtype != flat.dtype:
            columns[...] = flat.reshape(columns.shape)
        return columns

    def to_rows(self, strip: int = 0) -> None:
        """Begin to send the columns of a strip; after the last, let later work wait for all.

        Collective.
        """
        columns, flat = self._strips[strip], self._wires[strip]
        if columns.dtype != flat.dtype:
            flat.reshape(columns.shape)[...] = columns
        parts = self._column_parts[strip], self._rows, self._row_parts[strip]
        self._leaving.append(self._carry(flat, *parts))
        if strip == self.strips - 1:
            for token in self._leaving:
                self._device.after(token)
            self._leaving = []

    def _cut_rows(self, spectra: NDArray, first: int) -> None:
        self._fft.lines.cut_rows(spectra, self._rows, self._tables, first, self._local)

    def _join_rows(self, spectra: NDArray, first: int, fields: Sequence[int]) -> None:
        of_all = self.block.shape[1]
        self._fft.lines.join_rows(
            self._rows, self._tables, first, self._local, of_all, fields[0], spectra
        )

    def _carry(self, send: NDArray, sent: Parts, receive: NDArray, received: Parts) -> Any:
        """Begin an exchange; return a token for `Device.after`."""

        def exchange() -> None:
            self._carrier.exchange(send, sent, receive, received)

        if self._carrier.overlaps:
            return self._device.beside(exchange)
        exchange()
        return None


def strips_of(fft: Transform, carrier: Transport | None, fields: int) -> int:
    """Return the number of strips in which columns of some fields are sent, on all ranks alike."""
    ranks = fft.communicator.size
    if carrier is None or not carrier.overlaps:
        return 1
    rows, modes = fft.lattice.shape[0] // ranks, fft.lattice.modes // ranks
    message = rows * modes * fields * fft.complex_dtype.itemsize
    return max(1, min(MOST_STRIPS, modes, message // STRIP_MESSAGE))
