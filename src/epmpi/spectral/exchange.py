"""The exchange between rows and columns of a transform: its interface, and one in shared memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

from numpy.typing import NDArray

from epmpi.spectral.layout import Layout
from epmpi.spectral.shared_memory import shared_memory


class Exchange(ABC):
    """The transpose of some fields between rows and columns, with its arrays."""

    @property
    @abstractmethod
    def columns(self) -> NDArray:
        """The array (Lx + halo, fields, ky of this rank) for the columns' transforms to write."""

    def rows(self, begin: int, end: int) -> NDArray | None:
        """Return the spectra (rows, fields, modes of all ranks) of this rank's rows begin ... end.

        Counted from the first halo row.  None where a row is cut into pieces.
        """
        return None

    @abstractmethod
    def send_rows(self, rows: NDArray, first: int = 0) -> None:
        """Transform real rows (n, fields, Ly), the local rows from `first` on, and send them."""

    @abstractmethod
    def to_columns(self) -> NDArray:
        """Return the array (Lx, fields, ky), when all rows have been sent.  Collective."""

    @abstractmethod
    def to_rows(self) -> None:
        """Send all columns.  Collective."""

    @abstractmethod
    def receive_rows(self, begin: int, end: int, fields: Sequence[int], rows: NDArray) -> None:
        """Restore some fields of rows begin ... end into real `rows` (n, fields, Ly).

        Rows are counted from the first halo row.
        """


class CutRows(Exchange):
    """An exchange that cuts the spectra of rows into pieces for other ranks, block by block.

    Parameters
    ----------
    layout : Layout
    lines : Any
        The device's transforms of lines.
    fields : int
    extra : int
        Halo rows.

    Attributes
    ----------
    block : complex array, shape (rows, fields, modes of all ranks)
        For the spectra of the rows that are worked on at a time.
    """

    def __init__(self, layout: Layout, lines: Any, fields: int, extra: int) -> None:
        self._layout, self._lines = layout, lines
        row_bytes = layout.lattice.shape[1] * layout.dtype.itemsize
        height = min(layout.slab.rows + extra, layout.device.block_rows(row_bytes))
        shape = height, fields, layout.lattice.modes
        self.block = layout.device.empty(shape, layout.complex_dtype)

    def send_rows(self, rows: NDArray, first: int = 0) -> None:
        """Transform rows, and cut their spectra into pieces."""
        height = len(self.block)
        for begin in range(0, len(rows), height):
            some = rows[begin : begin + height]
            spectra = self.block[: len(some)]
            self._lines.transform_rows(some, spectra)
            self._cut_rows(spectra, first + begin)

    def receive_rows(self, begin: int, end: int, fields: Sequence[int], rows: NDArray) -> None:
        """Join the pieces of rows, and restore them; see `Exchange.receive_rows`."""
        height = len(self.block)
        for start in range(begin, end, height):
            stop = min(start + height, end)
            spectra = self.block[: stop - start, : len(fields)]
            self._join_rows(spectra, start, fields)
            self._lines.restore_rows(spectra, rows[start - begin : stop - begin])

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
    layout : Layout
    lines : Any
        The device's transforms of lines.
    whole : complex array, shape (Lx + halo, fields, modes of all ranks and padding)
    """

    def __init__(self, layout: Layout, lines: Any, whole: NDArray) -> None:
        self._layout = layout
        self._lines = lines
        self.whole = whole[:, :, : layout.lattice.modes]
        first, last = layout.mode_blocks[layout.communicator.rank]
        self._mine = whole[:, :, first:last]

    @property
    def columns(self) -> NDArray:
        """The columns of this rank in the array."""
        return self._mine

    def part(self, first: int, rows: int) -> OneMemory:
        """Return the exchange of field 0 alone in some of the rows of the array."""
        return OneMemory(self._layout, self._lines, self.whole[first : first + rows, :1])

    def rows(self, begin: int, end: int) -> NDArray:
        """Return the spectra of this rank's rows begin ... end; see `Exchange.rows`."""
        start = self._layout.slab.start
        return self.whole[start + begin : start + end]

    def send_rows(self, rows: NDArray, first: int = 0) -> None:
        """Transform rows into the array."""
        self._lines.transform_rows(rows, self.rows(first, first + len(rows)))

    def to_columns(self) -> NDArray:
        """Wait until all ranks have written their rows.  Collective."""
        self._wait()
        return self._mine

    def to_rows(self) -> None:
        """Wait until all ranks have written their columns.  Collective."""
        self._wait()

    def receive_rows(self, begin: int, end: int, fields: Sequence[int], rows: NDArray) -> None:
        """Restore rows from the array."""
        chosen = slice(fields[0], fields[-1] + 1)
        self._lines.restore_rows(self.rows(begin, end)[:, chosen], rows)

    def _wait(self) -> None:
        if self._layout.communicator.size > 1:
            self._layout.communicator.barrier()


def in_one_memory(
    layout: Layout, lines: Any, fields: int, halo: tuple[int, int]
) -> OneMemory | None:
    """Return an exchange in memory that all ranks see; None where they share none.  Collective."""
    extra, dtype = sum(halo), layout.complex_dtype
    pitch = lines.pitch(layout.lattice.modes)
    shape = layout.lattice.shape[0] + extra, fields, pitch
    if layout.communicator.size == 1:
        return OneMemory(layout, lines, layout.device.empty(shape, dtype))
    row_bytes = fields * pitch * dtype.itemsize
    rows = [slab.rows for slab in layout.slabs]
    rows[-1] += extra
    memory = shared_memory(layout.communicator, [row_bytes * count for count in rows])
    if memory is None:
        return None
    return OneMemory(layout, lines, memory.view(dtype).reshape(shape))
