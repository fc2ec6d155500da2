"""Records of the exact clock, the data of its compiled loops; the same on every rank.

The sites are all those of the lattice, in tiles of ``width x width`` sites.  Times are in units of
tau since the last flush, when the stress of all sites was computed by FFT.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Reasons for which `follow` of the loops returns.
REACHED = 0  # the requested time
FULL = 1  # so many events are complete, or times are to be counted from a later moment
LONGEST = 2.0**24  # beyond it, times since the last flush would have less than 28 binary places


class Medium(NamedTuple):
    """The elastic response, tabulated; see `exact.response`.

    Attributes
    ----------
    kernel : float64 array, shape (Lx + width, Ly + width)
        Stress rate at (x, y) while a site at (0, 0) yields in the positive direction; periodic in
        Lx and Ly.
    lowest, highest : float32 arrays, shape (width, width, 2 tiles along x - 1, ... y - 1)
        Smallest and largest stress rate in a tile, the yielding site left out; by the place of the
        yielding site in its tile, then by the distance between the tiles, plus tiles - 1.
    length, breadth : int
        Lx and Ly.
    pitch : int
        Ly + width.
    width : int
        Of a tile, in sites; a multiple of 8.
    along_x, along_y : int
        Tiles.
    drive : float
        mu gdot, the stress rate that is imposed everywhere.
    """

    kernel: NDArray[np.float64]
    lowest: NDArray[np.float32]
    highest: NDArray[np.float32]
    length: int
    breadth: int
    pitch: int
    width: int
    along_x: int
    along_y: int
    drive: float


class Sites(NamedTuple):
    """Data of each site.

    Attributes
    ----------
    stress : float64 array, shape (tiles, width^2)
        sigma, tile by tile, at the time of the tile.
    inactive : float64 array, shape (tiles, width^2)
        1 for each inactive site; 0 for one that yields, and beyond the lattice.
    active : int8 array, shape (Lx, Ly)
        n s, now.
    last : float64 array, shape (Lx, Ly)
        Time of the last activation; -inf for none.
    """

    stress: NDArray[np.float64]
    inactive: NDArray[np.float64]
    active: NDArray[np.int8]
    last: NDArray[np.float64]


class Tiles(NamedTuple):
    """Data of each tile; arrays of shape (tiles,), float64 except `seen`.

    Tile ``a along_y + b`` begins at the site ``(a width, b width)``; there are up to seven more at
    the end, without sites, so that their number is a multiple of 8.

    Attributes
    ----------
    time : array
        At which the stress of its sites was computed last.
    seen : int64 array
        Completed events that were counted in then.
    total : array
        Sum over its inactive sites of `rules.rate_ceiling`, at that time.
    largest : array
        `rules.steepness` of them: the largest |sigma| for the barrier of Eq. (2).
    fallen, risen : arrays
        Bounds of the change of stress of any inactive site since then, up to the last renewal.
    falling, rising : arrays
        Bounds of its present rate of change by events: sums of multiples of one power of 2, hence
        exact.
    bound : array
        Of the activation rate of the tile, up to the horizon.
    """

    time: NDArray[np.float64]
    seen: NDArray[np.int64]
    total: NDArray[np.float64]
    largest: NDArray[np.float64]
    fallen: NDArray[np.float64]
    risen: NDArray[np.float64]
    falling: NDArray[np.float64]
    rising: NDArray[np.float64]
    bound: NDArray[np.float64]


class Events(NamedTuple):
    """Events; of each one's arrays only the beginning is in use, up to the numbers of `PROGRESS`.

    Attributes
    ----------
    active_x, active_y : int64 arrays, shape (sites,)
        The sites that yield now.
    active_since : float64 array, shape (sites,)
        -inf for those that yielded from the start of the run on.
    x, y : int64 arrays, shape (capacity,)
        Of the events completed since the last flush; the next three too.
    direction : int8 array
    start, end : float64 arrays
    begun_at, waited : float64 arrays, shape (sites + capacity,)
        Of each activation since they were read last: its time, and the time since the activation of
        the same site before it; infinite for the first.
    """

    active_x: NDArray[np.int64]
    active_y: NDArray[np.int64]
    active_since: NDArray[np.float64]
    x: NDArray[np.int64]
    y: NDArray[np.int64]
    direction: NDArray[np.int8]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    begun_at: NDArray[np.float64]
    waited: NDArray[np.float64]


class Scratch(NamedTuple):
    """Work arrays for one tile and for the choice among tiles.

    Attributes
    ----------
    rate, size : float64 arrays, shape (width^2,)
        `rules.rate_ceiling` and `rules.exposure` of the sites of the tile evaluated last; both 0
        for active ones.
    rate_sums, bound_sums, maxima : float64 arrays, shape (8,)
        Of the rates, and of the bounds of all tiles, those of the same number modulo 8.
    origin : int64 array, shape (entries,)
        Where the responses to be added to a tile begin in the kernel's memory; as many as there may
        be events since the last flush and active sites.
    amount : float64 array, shape (entries,)
        Factors of these responses.
    """

    rate: NDArray[np.float64]
    size: NDArray[np.float64]
    rate_sums: NDArray[np.float64]
    bound_sums: NDArray[np.float64]
    maxima: NDArray[np.float64]
    origin: NDArray[np.int64]
    amount: NDArray[np.float64]


class Records(NamedTuple):
    """All data of the loops."""

    medium: Medium
    sites: Sites
    tiles: Tiles
    events: Events
    scratch: Scratch


# The state of the clock, as an array of one record.
PROGRESS = np.dtype(
    [
        ("now", np.float64),  # of the last candidate or horizon
        ("renewed", np.float64),  # time at which the bounds were renewed
        ("horizon", np.float64),  # up to which they hold
        ("next", np.float64),  # time of the next candidate, or the horizon if that comes first
        ("bound", np.float64),  # of the activation rate of all tiles
        ("candidate", np.uint64),  # number of the next candidate
        ("active", np.int64),  # sites that yield now
        ("completed", np.int64),  # events completed since the last flush
        ("begun", np.int64),  # activations since they were read last
        ("refused", np.int64),  # candidates refused since the start of the run
        ("violated", np.int64),  # tiles whose rate exceeded its bound: always 0
    ]
)
