"""Between rows and columns of a transform: what an exchange offers, and the one in one memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from epmpi.spectral.shared_memory import shared_memory

if TYPE_CHECKING:
    from epmpi.spectral.slab import SlabFFT


class Exchange(ABC):
    """The way of some fields from rows to columns and back, with its arrays."""

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
        """Transform real rows (n, fields, Ly), the local rows from `first` on, and give them."""

    @abstractmethod
    def to_columns(self) -> NDArray:
        """Return the array (Lx, fields, ky), when all rows have been given.  Collective."""

    @abstractmethod
    def to_rows(self) -> None:
        """Give all columns.  Collective."""

    @abstractmethod
    def receive_rows(self, begin: int, end: int, fields: Sequence[int], rows: NDArray) -> None:
        """Restore some fields of rows begin ... end into real `rows` (n, fields, Ly).

        Rows are counted from the first halo row.
        """


class OneMemory(Exchange):
    """An exchange in which nothing moves: all ranks see the array ``(Lx + halo, fields, ky)``.

    Its rows are written by the ranks that own them, its columns likewise; between the two all wait
    for each other.  Rows begin on cache lines.

    Parameters
    ----------
    fft : SlabFFT
    whole : complex array, shape (Lx + halo, fields, modes of all ranks and padding)
    """

    def __init__(self, fft: SlabFFT, whole: NDArray) -> None:
        self.fft = fft
        self.whole = whole[:, :, : fft.lattice.modes]
        first, last = fft.mode_blocks[fft.communicator.rank]
        self._mine = whole[:, :, first:last]

    @property
    def columns(self) -> NDArray:
        """The columns of this rank in the array."""
        return self._mine

    def part(self, first: int, rows: int) -> OneMemory:
        """Return the exchange of field 0 alone in some of the rows of the array."""
        return OneMemory(self.fft, self.whole[first : first + rows, :1])

    def rows(self, begin: int, end: int) -> NDArray:
        """Return the spectra of this rank's rows begin ... end; see `Exchange.rows`."""
        start = self.fft.slab.start
        return self.whole[start + begin : start + end]

    def send_rows(self, rows: NDArray, first: int = 0) -> None:
        """Transform rows to where they belong."""
        self.fft.lines.transform_rows(rows, self.rows(first, first + len(rows)))

    def to_columns(self) -> NDArray:
        """Wait until all ranks have written their rows.  Collective."""
        self._wait()
        return self._mine

    def to_rows(self) -> None:
        """Wait until all ranks have written their columns.  Collective."""
        self._wait()

    def receive_rows(self, begin: int, end: int, fields: Sequence[int], rows: NDArray) -> None:
        """Restore rows from where they lie."""
        chosen = slice(fields[0], fields[-1] + 1)
        self.fft.lines.restore_rows(self.rows(begin, end)[:, chosen], rows)

    def _wait(self) -> None:
        if self.fft.communicator.size > 1:
            self.fft.communicator.barrier()


def in_one_memory(fft: SlabFFT, fields: int, halo: tuple[int, int]) -> OneMemory | None:
    """Return an exchange in memory that all ranks see; None where they share none.  Collective."""
    extra = sum(halo)
    pitch = fft.lines.pitch(fft.lattice.modes)
    length = fft.lattice.shape[0] + extra
    if fft.communicator.size == 1:
        return OneMemory(fft, fft.device.empty((length, fields, pitch), fft.complex_dtype))
    row_bytes = fields * pitch * fft.complex_dtype.itemsize
    rows = [slab.rows for slab in fft.slabs]
    rows[-1] += extra
    memory = shared_memory(fft.communicator, [row_bytes * count for count in rows])
    if memory is None:
        return None
    return OneMemory(fft, memory.view(fft.complex_dtype).reshape(length, fields, pitch))
