"""Order of trajectories by tracer identity, although tracers migrate between ranks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from epmpi.parallel import Communicator
from epmpi.physics.lattice import split

# One tracer; as in `model.tracers`, which loads a compiler that readers of files need not have.
RECORD = np.dtype([("identity", np.int64), ("position", np.float64, 2)])
DENSE = 4  # identities, at most, for each that is here, to sort by their places
TRACER_BLOCK = 4096  # tracers: those of one rank's part of a file begin at a multiple of it


def records(
    identity: NDArray[np.int64], position: NDArray[np.float64], *, ordered: bool
) -> NDArray:
    """Return tracers as records of dtype `RECORD`, ordered by identity or as they come."""
    tracers = np.empty(len(identity), RECORD)
    order = _order(identity) if ordered else slice(None)
    tracers["identity"] = identity[order]
    for axis in range(2):  # NumPy takes rows of two numbers five times more slowly
        tracers["position"][:, axis] = position[order, axis]
    return tracers


def _order(identity: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the indices that sort identities, each of which is there once.

    Where most of them up to the largest are here, each has its place, which is found faster than by
    comparing them.
    """
    number = int(identity.max(initial=-1)) + 1
    if number > DENSE * len(identity):
        return np.argsort(identity)
    place = np.full(number, -1)
    place[identity] = np.arange(len(identity))
    return place if number == len(identity) else place[place >= 0]


def in_order(tracers: NDArray, start: int, stop: int) -> NDArray[np.float64]:
    """Return the positions of the tracers start, ..., stop - 1 in this order, with z = 0.

    Parameters
    ----------
    tracers : structured array, shape (stop - start,)
        Of dtype `RECORD`, in any order.

    Returns
    -------
    array, shape (stop - start, 3)

    Raises
    ------
    ValueError
        If one of them is missing or doubled.
    """
    place = tracers["identity"] - start
    if len(place) != stop - start or not (np.bincount(place, minlength=len(place)) == 1).all():
        raise ValueError(f"the ranks do not own each of the tracers {start} to {stop - 1} once")
    ordered = np.zeros((stop - start, 3))
    for axis in range(2):
        ordered[place, axis] = tracers["position"][:, axis]
    return ordered


def tracer_ranges(number: int, ranks: int) -> list[tuple[int, int]]:
    """Return the identities [start, stop) of each rank's part of a file, in whole blocks.

    The last ranks may have none.
    """
    blocks = split(-(-number // TRACER_BLOCK), ranks)
    return [
        (min(start * TRACER_BLOCK, number), min(stop * TRACER_BLOCK, number))
        for start, stop in blocks
    ]


def by_identity(
    identity: NDArray[np.int64],
    position: NDArray[np.float64],
    number: int,
    communicator: Communicator,
) -> tuple[int, NDArray[np.float64]]:
    """Return the positions of this rank's part of a file, with z = 0, after its start.  Collective.

    Parameters
    ----------
    identity, position : arrays, shape (n,) and (n, 2)
        Of the tracers on this rank.
    number : int
        Of all tracers.

    Returns
    -------
    start : int
        As in `tracer_ranges`.
    ordered : array, shape (stop - start, 3)

    Raises
    ------
    ValueError
        On this rank, if a tracer of its part is missing or doubled.
    """
    ranges = tracer_ranges(number, communicator.size)
    stops = np.array([stop for _, stop in ranges])
    tracers = records(identity, position, ordered=False)
    owner = np.searchsorted(stops, tracers["identity"], side="right")
    start, stop = ranges[communicator.rank]
    return start, in_order(communicator.route(tracers, owner), start, stop)
