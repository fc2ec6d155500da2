"""The periodic lattice, its cut into slabs, and its wavevectors.

Arrays are indexed ``[x, y]``; the site ``[i, j]`` is at position (i, j), the spacing is 1.  The
lattice is cut into slabs of whole rows (fixed x), one per rank; spectra are cut into blocks of ky.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Lattice:
    """A periodic Lx x Ly square lattice of spacing 1.

    Parameters
    ----------
    shape : tuple of int
        (Lx, Ly), in lattice spacings.
    """

    shape: tuple[int, int]

    @property
    def sites(self) -> int:
        """Number of sites, Lx Ly."""
        return self.shape[0] * self.shape[1]

    @property
    def modes(self) -> int:
        """Number of ky in the transform of a real row, Ly // 2 + 1."""
        return self.shape[1] // 2 + 1


@dataclass(frozen=True)
class Slab:
    """The rows [start, stop) of a lattice that one rank owns.

    Parameters
    ----------
    lattice : Lattice
    start, stop : int
        Global index x of the first row, and of the row after the last.
    """

    lattice: Lattice
    start: int
    stop: int

    @property
    def rows(self) -> int:
        """Number of rows owned."""
        return self.stop - self.start

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the local block of a field, (rows, Ly)."""
        return self.rows, self.lattice.shape[1]

    @property
    def first_site(self) -> int:
        """Global index x Ly + y of the first site owned."""
        return self.start * self.lattice.shape[1]


def split(length: int, parts: int) -> list[tuple[int, int]]:
    """Cut range(length) into contiguous parts whose lengths differ by at most one.

    Returns
    -------
    list of (start, stop)
        In order, the longer ones first.
    """
    short, longer = divmod(length, parts)
    bounds = [part * short + min(part, longer) for part in range(parts + 1)]
    return list(pairwise(bounds))


def slabs(lattice: Lattice, ranks: int) -> list[Slab]:
    """Return the slab of every rank."""
    return [Slab(lattice, start, stop) for start, stop in split(lattice.shape[0], ranks)]


def mode_blocks(lattice: Lattice, ranks: int) -> list[tuple[int, int]]:
    """Return the range [first, last) of ky of every rank, the longer blocks last.

    With powers of two each block then begins on a cache line.
    """
    blocks = split(lattice.modes, ranks)
    return [(lattice.modes - last, lattice.modes - first) for first, last in reversed(blocks)]


def wavenumbers(length: int) -> NDArray[np.int64]:
    """Return k = 0, 1, ..., -1 of a discrete Fourier transform, -length/2 <= k < length/2.

    Shape (length,).  At even length the Nyquist wavenumber is -length/2; its sign has no meaning.
    """
    return np.fft.ifftshift(np.arange(length) - length // 2)
