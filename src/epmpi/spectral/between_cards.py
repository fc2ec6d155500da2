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
from epmpi.spectral.layout import Layout
from epmpi.spectral.transport import Parts, Transport

MOST_STRIPS = 4
STRIP_MESSAGE = 1 << 20  # bytes between two ranks, so that its latency does not matter


class BetweenCards(CutRows):
    """The all-to-all between rows and columns of some fields, on GPUs.

    Parameters
    ----------
    layout : Layout
    lines : Any
        The device's transforms of lines.
    wire : dtype
        Of the spectra that travel.
    carrier : Transport
    fields : int
    halo : (before, after)
        Rows that travel on the way back to rows, too.
    strips : int
        The same on all ranks; at most the fewest ky of a rank.

    Attributes
    ----------
    strips : int
    """

    def __init__(
        self,
        layout: Layout,
        lines: Any,
        wire: np.dtype,
        carrier: Transport,
        fields: int,
        halo: tuple[int, int],
        strips: int = 1,
    ) -> None:
        extra, rank = sum(halo), layout.communicator.rank
        super().__init__(layout, lines, fields, extra)
        self.strips, self._carrier = strips, carrier
        self._device = device = layout.device
        self._local, length = layout.slab.rows + extra, layout.lattice.shape[0] + extra
        cuts = [split(last - first, strips) for first, last in layout.mode_blocks]
        pieces = [
            [(first + low, high - low) for low, high in cut]
            for (first, _), cut in zip(layout.mode_blocks, cuts, strict=True)
        ]
        self._rows = device.empty((self._local * fields * layout.lattice.modes,), wire)
        self._set_tables([piece for of_rank in pieces for piece in of_rank])
        self._row_parts: list[Parts] = [
            [(self._local * fields * low, self._local * fields * width) for low, width in strip]
            for strip in zip(*pieces, strict=True)
        ]
        shapes = [(length, fields, high - low) for low, high in cuts[rank]]
        self._wires = [device.empty((int(np.prod(shape)),), wire) for shape in shapes]
        self._strips = [
            flat.reshape(shape) if wire == layout.complex_dtype
            else device.empty(shape, layout.complex_dtype)
            for flat, shape in zip(self._wires, shapes, strict=True)
        ]  # fmt: skip
        self._column_parts: list[Parts] = [
            [(slab.start * line, (slab.rows + extra) * line) for slab in layout.slabs]
            for line in (fields * width for _, width in pieces[rank])
        ]
        self._under_way: list[Any] = []  # a token each

    def _set_tables(self, pieces: list[tuple[int, int]]) -> None:
        """Tell the device to which piece (first ky, number) each mode belongs."""
        low = np.concatenate([np.full(width, first) for first, width in pieces])
        width = np.concatenate([np.full(width, width) for _, width in pieces])
        asarray = self._device.asarray
        self._tables = asarray(low.astype(np.int64)), asarray(width.astype(np.int64))

    @property
    def columns(self) -> NDArray:
        """The array (Lx + halo, fields, ky) of an exchange of one strip."""
        (strip,) = self._strips
        return strip

    def strip(self, number: int) -> NDArray:
        """Return the columns (Lx + halo, fields, ky) of a strip."""
        return self._strips[number]

    def begin(self) -> None:
        """Begin to send all rows.  Collective."""
        self._under_way = [
            self._carry(self._rows, rows, wire, columns)
            for rows, wire, columns in zip(
                self._row_parts, self._wires, self._column_parts, strict=True
            )
        ]

    def arrived(self, number: int) -> NDArray:
        """Return the columns (Lx, fields, ky) of a strip, when they have arrived from all ranks."""
        self._device.after(self._under_way[number])
        strip, flat = self._strips[number], self._wires[number]
        if strip.dtype != flat.dtype:
            strip[...] = flat.reshape(strip.shape)
        return strip

    def send(self, number: int) -> None:
        """Begin to send the columns of a strip.  Collective."""
        strip, flat = self._strips[number], self._wires[number]
        if strip.dtype != flat.dtype:
            flat.reshape(strip.shape)[...] = strip
        columns, rows = self._column_parts[number], self._row_parts[number]
        self._under_way.append(self._carry(flat, columns, self._rows, rows))

    def all_sent(self) -> None:
        """Let all later work wait for the rows of all strips."""
        for token in self._under_way:
            self._device.after(token)
        self._under_way = []

    def to_columns(self) -> NDArray:
        """Return the array (Lx, fields, ky) of an exchange of one strip.  Collective."""
        self.begin()
        columns = self.arrived(0)
        self._under_way = []
        return columns

    def to_rows(self) -> None:
        """Send all columns of an exchange of one strip.  Collective."""
        self.send(0)
        self.all_sent()

    def _cut_rows(self, spectra: NDArray, first: int) -> None:
        self._lines.cut_rows(spectra, self._rows, self._tables, first, self._local)

    def _join_rows(self, spectra: NDArray, first: int, fields: Sequence[int]) -> None:
        of_all = self.block.shape[1]
        self._lines.join_rows(
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


def strips_of(layout: Layout, carrier: Transport, fields: int) -> int:
    """Return the number of strips in which columns of some fields are sent, on all ranks alike."""
    ranks = layout.communicator.size
    if not carrier.overlaps:
        return 1
    rows, modes = layout.lattice.shape[0] // ranks, layout.lattice.modes // ranks
    message = rows * modes * fields * layout.complex_dtype.itemsize
    return max(1, min(MOST_STRIPS, modes, message // STRIP_MESSAGE))
