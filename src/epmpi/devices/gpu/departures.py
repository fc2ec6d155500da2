"""Tracers that leave the slab of a GPU, found and copied by the card beside other work.

To ask a card for them when they are wanted would be to wait for all that it has been asked for
meanwhile, and to leave it without work for as long as the host takes to go on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.devices.departures import Departures, Leaving
from epmpi.devices.gpu import tracer_kernels

KNOWN = 1023  # tracers of a move that are copied at once; where more leave, the card is asked
COLUMNS = 4  # place, identity and position of a tracer: whole numbers are exact below 2^53


class CardDepartures(Departures):
    """Finds the tracers that leave; parameters as of `Departures`."""

    def __init__(self, device: Any, start: int, stop: int, length: int, most: int) -> None:
        super().__init__(device, start, stop, length, most)
        self._known = min(most, KNOWN)
        self._list = device.zeros((1 + self._known, COLUMNS), np.float64)  # begins with how many
        self._copy = device.pinned(self._list.size, np.float64)
        self._copied: Any = None  # a mark behind the last copy that has not been read

    def look(self, identity: NDArray, position: NDArray, number: NDArray[np.int64]) -> None:
        """Queue the list of them and its copy to the host, without waiting."""
        self._list[0].fill(0)
        tracer_kernels.list_outside(
            len(position), position, identity, number, *self._rows, self._list
        )
        self._device.aside(self._send)  # CuPy lets no recording have copies to the host

    def _send(self) -> None:
        """Begin to copy the list to the host."""
        self._device.fetch_later(self._list.reshape(-1), self._copy)
        self._copied = self._device.mark()

    def found(self, identity: NDArray[np.int64], position: NDArray[np.float64]) -> Leaving:
        """Return them; wait for the move alone, not for what was asked of the card after it."""
        if self._copied is None:
            return super().found(identity, position)
        self._device.wait(self._copied)
        self._copied = None
        listed = self._copy.reshape(-1, COLUMNS)
        number = int(listed[0, 0])
        if number > self._known:
            return super().found(identity, position)
        those = listed[1 : 1 + number]
        those = those[np.argsort(those[:, 0])]
        places, identities = those[:, :2].T.astype(np.int64)
        return Leaving(places, identities, those[:, 2:].copy())
