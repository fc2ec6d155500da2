"""An exchange between hosts whose ranks share memory: one message from each host to each other.

On a host nothing is copied: its ranks share its columns, and write the spectra of their rows there.
Rows for another host are packed into one piece by the ranks that own them, and received in place in
the columns of that host.  The way back is the reverse.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.parallel import load
from epmpi.parallel.hosts import Hosts
from epmpi.spectral.exchange import CutRows
from epmpi.spectral.shared_memory import shared_memory
from epmpi.spectral.transform import Transform

Spectra = list[NDArray]  # of a host's rows, with halo: at the modes of each host, in one piece each


class BetweenHosts(CutRows):
    """The all-to-all between rows and columns of some fields; made by `between_hosts`.

    Parameters
    ----------
    memory : complex array, flat
        That the ranks of this host share, of the numbers that travel.
    halo : (before, after)

    Attributes
    ----------
    wire : dtype
        Of the spectra that travel: they may be rounded to single precision.
    """

    def __init__(
        self,
        fft: Transform,
        hosts: Hosts,
        memory: NDArray,
        fields: int,
        halo: tuple[int, int],
    ) -> None:
        super().__init__(fft, fields, sum(halo))
        self._hosts, rank = hosts, fft.communicator.rank
        self.wire = memory.dtype
        shapes = _shapes(fft, hosts, fields, sum(halo))
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        parts = np.split(memory[: ends[-1]], ends[:-1])
        pieces = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
        here, rows = hosts.here, [_rows(fft, ranks) for ranks in hosts.ranks]
        columns = pieces[here]  # of this host: (Lx + halo, fields, its modes)
        of_host = [columns[start : stop + sum(halo)] for start, stop in rows]
        # By host, of the others: where its rows lie in these columns, and these rows at its modes.
        self._of_columns = [None if n == here else part for n, part in enumerate(of_host)]
        self._of_rows = [None if n == here else piece for n, piece in enumerate(pieces)]
        pieces[here] = of_host[here]
        self._spectra: Spectra = pieces
        self._modes = [_modes(fft, ranks) for ranks in hosts.ranks]
        self._first = fft.slab.start - rows[here][0]
        first, last = (edge - self._modes[here][0] for edge in fft.mode_blocks[rank])
        self._travels = self._columns = columns[:, :, first:last]
        if self.wire != fft.complex_dtype:
            self._columns = fft.device.empty(self._travels.shape, fft.complex_dtype)
        self._messages: list[Any] = []
        self._expects = False  # columns of the other hosts, on all ranks of this one alike
        # Neither may these arrays vanish, nor MPI be left, while messages use them.
        weakref.finalize(self, load()[0].Request.Waitall, self._messages)

    def columns(self, strip: int = 0) -> NDArray:
        """Return the columns of this rank, after all messages from them have been sent."""
        self._receive()
        return self._columns

    def to_columns(self, strip: int = 0) -> NDArray:
        """Send the rows of this host, and wait for those of the others.  Collective."""
        self._receive()
        self._hosts.on_host.barrier()
        self._messages += self._hosts.begin_messages(self._of_rows, self._of_columns)
        self._hosts.finish(self._messages)
        if self._columns is not self._travels:
            self._columns[...] = self._travels
        return self._columns

    def to_rows(self, strip: int = 0) -> None:
        """Begin to send the columns of this host.  Collective."""
        if self._columns is not self._travels:
            self._travels[...] = self._columns
        self._hosts.on_host.barrier()
        self._messages += self._hosts.begin_messages(self._of_columns, self._of_rows)
        self._expects = True

    def receive_rows(self, begin: int, end: int, fields: Sequence[int], rows: NDArray) -> None:
        """Wait for the columns of all hosts, and restore rows."""
        self._receive()
        super().receive_rows(begin, end, fields, rows)

    def _pieces(self, first: int, count: int) -> Iterator[tuple[NDArray, tuple[int, int]]]:
        rows = slice(self._first + first, self._first + first + count)
        for spectra, (low, high) in zip(self._spectra, self._modes, strict=True):
            yield spectra[rows, :, : high - low], (low, high)

    def _receive(self) -> None:
        """Wait for the columns of the other hosts.  Collective on the host."""
        if self._expects:
            self._expects = False
            self._hosts.finish(self._messages)


def between_hosts(
    fft: Transform,
    hosts: Hosts,
    wire: np.dtype,
    fields: int,
    halo: tuple[int, int],
) -> BetweenHosts | None:
    """Return an exchange; None where a host has too little memory to share.  Collective."""
    shapes = _shapes(fft, hosts, fields, sum(halo))
    count = sum(int(np.prod(shape)) for shape in shapes)
    share = -(-count // hosts.on_host.size) * wire.itemsize
    memory = shared_memory(hosts.on_host, [share] * hosts.on_host.size)
    if hosts.communicator.any(memory is None) or memory is None:
        return None
    return BetweenHosts(fft, hosts, memory.view(wire), fields, halo)


def _shapes(fft: Transform, hosts: Hosts, fields: int, extra: int) -> list[tuple[int, int, int]]:
    """Return the shape of the columns of this host and, of the others, of its rows there."""
    start, stop = _rows(fft, hosts.ranks[hosts.here])
    heights = [stop - start + extra] * len(hosts.ranks)
    heights[hosts.here] = fft.lattice.shape[0] + extra
    widths = [high - low for low, high in (_modes(fft, ranks) for ranks in hosts.ranks)]
    return [(h, fields, fft.lines.pitch(w)) for h, w in zip(heights, widths, strict=True)]


def _rows(fft: Transform, ranks: range) -> tuple[int, int]:
    """Return the first row of some ranks that follow one another, and that after the last."""
    return fft.slabs[ranks[0]].start, fft.slabs[ranks[-1]].stop


def _modes(fft: Transform, ranks: range) -> tuple[int, int]:
    """Return the (first, last) ky of some ranks that follow one another."""
    return fft.mode_blocks[ranks[0]][0], fft.mode_blocks[ranks[-1]][1]
