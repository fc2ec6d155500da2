"""Records of instantaneous events of the exact clock, the data of its compiled loops.

They are the same on every rank.  The sites are all those of the lattice, in tiles as in `thinning`.
Times are in units of tau since the last flush, when the stress of all sites was computed by FFT.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from epmpi.devices.thinning import PROGRESS, Medium, Scratch


class JumpSites(NamedTuple):
    """Data of each site.

    Attributes
    ----------
    stress : float64 array, shape (tiles, width^2)
        sigma, tile by tile, after the events that the tile has seen.
    threshold : float64 array, shape (tiles, width^2)
        sigma_Y of each site.
    inside : float64 array, shape (tiles, width^2)
        1 for each site; 0 beyond the lattice.
    last : float64 array, shape (Lx, Ly)
        Time of the last event; -inf for none.
    """

    stress: NDArray[np.float64]
    threshold: NDArray[np.float64]
    inside: NDArray[np.float64]
    last: NDArray[np.float64]


class JumpTiles(NamedTuple):
    """Data of each tile; arrays of shape (tiles,), float64 except `seen`.

    Their number is a multiple of 8: there are up to seven without sites at the end.

    Attributes
    ----------
    seen : int64 array
        Events whose response its stress has.
    load : array
        `PROGRESS.load` that it has.
    total : array
        Sum over its sites of `rules.rate_ceiling` then; of the extremal driver the largest
        ``|sigma| - sigma_Y``.
    largest : array
        `rules.steepness` of them.
    fallen, risen : arrays
        Bounds of the change of stress of any of its sites by events since then: none fell by more
        than -fallen, none rose by more than risen.
    bound : array
        Of the rate of the tile, up to the horizon; of the extremal driver of ``|sigma| - sigma_Y``.
    """

    seen: NDArray[np.int64]
    load: NDArray[np.float64]
    total: NDArray[np.float64]
    largest: NDArray[np.float64]
    fallen: NDArray[np.float64]
    risen: NDArray[np.float64]
    bound: NDArray[np.float64]


class Orientation(NamedTuple):
    """Responses to events of random orientation beside the medium, which is that of cos 4 psi.

    Attributes
    ----------
    sine : Medium
        Response to the strain times sin 4 psi.
    own, far : float
        Isotropic response to the strain, at its own site and at all others.
    """

    sine: Medium
    own: float
    far: float


class Jumps(NamedTuple):
    """Events since the last flush; of each array the beginning is in use.

    Attributes
    ----------
    x, y : int64 arrays, shape (capacity,)
    amount : float64 array
        The plastic strain of the event, over that of a site which yields for one tau.
    cosine, sine : float64 arrays
        cos 4 psi and sin 4 psi of the event's orientation; 1 and 0 where that is fixed.
    direction : int8 array
        The sign of the stress before.
    start : float64 array
    distance, drop : float64 arrays
        ``sigma_Y - |sigma|`` before, and by how much the stress changed, towards 0 if positive.
    begun_at, waited : float64 arrays
        Of each event since they were read last: its time, and the time since the event of the same
        site before it; infinite for the first.
    """

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    amount: NDArray[np.float64]
    cosine: NDArray[np.float64]
    sine: NDArray[np.float64]
    direction: NDArray[np.int8]
    start: NDArray[np.float64]
    distance: NDArray[np.float64]
    drop: NDArray[np.float64]
    begun_at: NDArray[np.float64]
    waited: NDArray[np.float64]


class JumpRecords(NamedTuple):
    """All that the loops work on."""

    medium: Medium
    sites: JumpSites
    tiles: JumpTiles
    events: Jumps
    scratch: Scratch


# The state of the clock; `active` is always 0, `load` the stress that the drive, and the isotropic
# response to events, have added to all sites since the last flush, at the time `renewed`.
JUMP_PROGRESS = np.dtype(
    [*((name, PROGRESS[name]) for name in PROGRESS.names or ()), ("load", "f8")]
)
