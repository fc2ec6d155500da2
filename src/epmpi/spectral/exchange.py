"""The exchange between rows and columns of a transform.

Its interface, a base for those that cut rows into pieces, and one in memory that all ranks see.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from numpy.typing import NDArray

from epmpi.spectral.shared_memory import shared_memory
from epmpi.spectral.transform import Transform


class ToColumns(ABC):
    """The transpose of some fields from rows to columns.

    Columns may travel in strips, in turn: a `strip` is the number of one.
    """

    def rows(self, begin: int, end: int) -> NDArray | None:
        """Return the spectra (rows, fields, modes of all ranks) of this rank's rows begin ... end.

        Counted from the first halo row.  None where a row is cut into pieces.
        """
        return None

    @abstractmethod
    def send_rows(self, rows: NDArray, first: int = 0) -> None:
        """Transform real rows (n, fields, Ly), the local rows from `first` on, and send them."""

    @abstractmethod
    def to_columns(self, strip: int = 0) -> NDArray:
        """Return the array (Lx, fields, ky of a strip), when all rows are sent.  Collective."""


class Exchange(ToColumns):
    """The transpose of some fields between rows and columns, with its arrays.

    Attributes
    ----------
    strips : int
        In which the columns of this rank travel.
    """

    strips = 1

    @abstractmethod
    def columns(self, strip: int = 0) -> NDArray:
        """Return the array (Lx + halo, fields, ky of a strip) for columns' transforms to write."""

    @abstractmethod
    def to_rows(self, strip: int = 0) -> None:
        """Send the columns of a strip.  Collective."""

    @abstractmethod
    def receive_rows(self, begin: int, end: int, fields: Sequence[int], rows: NDArray) -> None:
        """Restore some fields of rows begin ... end into real `rows` (n, fields, Ly).

        Rows are counted from the first halo row.
        """


class CutRows(Exchange):
    """An exchange that cuts the spectra of rows into pieces for other ranks, block by block.

    Parameters
    ----------
    extra : int
        Halo rows.

    Attributes
    ----------
    block : complex array, shape (rows, fields, modes of all ranks)
        For the spectra of the rows that are worked on at a time.
    """

    def __init__(self, fft: Transform, fields: int, extra: int) -> None:
        self._fft = fft
        row_bytes = fft.lattice.shape[1] * fft.dtype.itemsize
        height = min(fft.slab.rows + extra, fft.device.block_rows(row_bytes))
        shape = height, fields, fft.lattice.modes
        self.block = fft.device.empty(shape, fft.complex_dtype)

    def send_rows(self, rows: NDArray, first: int = 0) -> None:
        """Transform rows, and cut their spectra into pieces."""
        height = len(self.block)
        for begin in range(0, len(rows), height):
            some = rows[begin : begin + height]
            spectra = self.block[: len(some)]
            self._fft.lines.transform_rows(some, spectra)
            self._cut_rows(spectra, first + begin)

    def receive_rows(self, begin: int, end: int, fields: Sequence[int], rows: NDArray) -> None:
        """Join the pieces of rows, and restore them; see `Exchange.receive_rows`."""
        height = len(self.block)
        for start in range(begin, end, height):
            stop = min(start + height, end)
            spectra = self.block[: stop - start, : len(fields)]
            self._join_rows(spectra, start, fields)
            self._fft.lines.restore_rows(spectra, rows[start - begin : stop - begin])

    def _cut_rows(self, spectra: NDArray, first: int) -> None:
        """Cut the spectra of the local rows from `first` on into pieces."""
        for piece, (low, high) in self._pieces(first, len(spectra)):
            piece[:] = spectra[..., low:high]

    def _join_rows(self, spectra: NDArray, first: int, fields: Sequence[int]) -> None:
        """Join the pieces of some fields of the local rows from `first` on, halo rows included."""
        chosen = slice(fields[0], fields[-1] + 1)
        for piece, (low, high) in self._pieces(first, len(spectra)):
            spectra[..., low:high] = piece[:, chosen]

    def _pieces(self, first: int, count: int) -> Iterator[tuple[NDArray, tuple[int, int]]]:
        """Yield the pieces (rows, fields, modes) of rows, and the (first, last) mode of each."""
        raise NotImplementedError


class OneMemory(Exchange):
    """An exchange in which nothing moves: all ranks see the array ``(Lx + halo, fields, ky)``.

    Rows and columns are written by the ranks that own them; between the two all ranks wait.  Rows
    begin on cache lines.

    Parameters
    ----------
    whole : complex array, shape (Lx + halo, fields, modes of all ranks and padding)
    """

    def __init__(self, fft: Transform, whole: NDArray) -> None:
        self._fft = fft
        self.whole = whole[:, :, : fft.lattice.modes]
        first, last = fft.mode_blocks[fft.communicator.rank]
        self._mine = whole[:, :, first:last]

    def columns(self, strip: int = 0) -> NDArray:
        """Return the columns of this rank in the array."""
        return self._mine

    def part(self, first: int, rows: int) -> OneMemory:
        """Return the exchange of field 0 alone in some of the rows of the array."""
        return OneMemory(self._fft, self.whole[first : first + rows, :1])

    def rows(self, begin: int, end: int) -> NDArray:
        """Return the spectra of this rank's rows begin ... end; see `Exchange.rows`."""
        start = self._fft.slab.start
        return self.whole[start + begin : start + end]

    def send_rows(self, rows: NDArray, first: int = 0) -> None:
        """Transform rows into the array."""
        self._fft.lines.transform_rows(rows, self.rows(first, first + len(rows)))

    def to_columns(self, strip: int = 0) -> NDArray:
        """Wait until all ranks have written their rows.  Collective."""
        self._wait()
        return self._mine

    def to_rows(self, strip: int = 0) -> None:
        """Wait until all ranks have written their columns.  Collective."""
        self._wait()

    def receive_rows(self, begin: int, end: int, fields: Sequence[int], rows: NDArray) -> None:
        """Restore rows from the array."""
        chosen = slice(fields[0], fields[-1] + 1)
        self._fft.lines.restore_rows(self.rows(begin, end)[:, chosen], rows)

    def _wait(self) -> None:
        if self._fft.communicator.size > 1:
            self._fft.communicator.barrier()


def in_one_memory(fft: Transform, fields: int, halo: tuple[int, int]) -> OneMemory | None:
    """Return an exchange in memory that all ranks see; None where they share none.  Collective."""
    extra, dtype = sum(halo), fft.complex_dtype
    pitch = fft.lines.pitch(fft.lattice.modes)
    shape = fft.lattice.shape[0] + extra, fields, pitch
    if fft.communicator.size == 1:
        return OneMemory(fft, fft.device.empty(shape, dtype))
    row_bytes = fields * pitch * dtype.itemsize
    rows = [slab.rows for slab in fft.slabs]
    rows[-1] += extra
    memory = shared_memory(fft.communicator, [row_bytes * count for count in rows])
    if memory is None:
        return None
    return OneMemory(fft, memory.view(dtype).reshape(shape))
