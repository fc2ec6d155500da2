"""Tracers that have left the rows of a slab, for their new ranks."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Leaving(NamedTuple):
    """Tracers that leave a slab, on the host.

    Parameters
    ----------
    places : int64 array, shape (n,)
        Where they are among those of the slab, in order.
    identity : int64 array, shape (n,)
    position : float64 array, shape (n, 2)
    """

    places: NDArray[np.int64]
    identity: NDArray[np.int64]
    position: NDArray[np.float64]


class Departures:
    """Finds the tracers that are not on the rows of a slab, before their next move.

    Parameters
    ----------
    device : Any
        Of the tracers.
    start, stop : int
        The rows of the slab.
    length : int
        Lx.
    most : int
        How many tracers there may be.
    """

    def __init__(self, device: Any, start: int, stop: int, length: int, most: int) -> None:
        self._device = device
        self._rows = start, stop, length

    def look(self, identity: NDArray, position: NDArray, number: NDArray[np.int64]) -> None:
        """Begin to look for them, after a move; a part of a step that may be recorded.

        Here nothing is done before they are asked for.

        Parameters
        ----------
        identity, position : arrays
            Of the device; their first rows are the tracers.
        number : int64 array, shape (1,)
            How many these are, on the device.
        """

    def found(self, identity: NDArray[np.int64], position: NDArray[np.float64]) -> Leaving:
        """Return those among the tracers of the slab; nothing may have moved them since."""
        device = self._device
        places = device.outside_rows(position, *self._rows)
        chosen = device.asarray(places)
        return Leaving(places, device.to_host(identity[chosen]), device.to_host(position[chosen]))
