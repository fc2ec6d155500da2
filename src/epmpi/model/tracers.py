"""Tracer particles that follow the displacement of the medium, each on the rank of its slab."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from epmpi.config import Configuration
from epmpi.devices import Device, TracerMove
from epmpi.parallel import Communicator
from epmpi.physics import randomness
from epmpi.physics.lattice import Slab, split

RECORD = np.dtype([("identity", np.int64), ("position", np.float64, 2)])  # of a sent one
SORT_EVERY = 1000  # moves; tracers drift about 1e-4 of a spacing in each


class Tracers:
    """The tracers of one rank's slab.

    Parameters
    ----------
    slabs : list of Slab
        Of all ranks.

    Attributes
    ----------
    identity : int64 array, shape (local tracers,)
        0 ... number - 1, each on one rank; on the device.
    position : float64 array, shape (local tracers, 2)
        Unwrapped (x, y), in lattice spacings; on the device.
    replaced : int
        Number of times that their arrays were replaced by others.
    """

    def __init__(
        self,
        configuration: Configuration,
        slabs: list[Slab],
        communicator: Communicator,
        device: Device,
    ) -> None:
        self.number = configuration.tracers.number
        self.interpolation = configuration.tracers.interpolation
        self._slab = slabs[communicator.rank]
        self._starts = np.array([slab.start for slab in slabs])
        self._communicator = communicator
        self._device = device
        self._moves = self.replaced = 0
        self.set(*self._scatter(configuration.run.seed))

    def _scatter(self, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return identities and uniform positions of this rank's share, anywhere on the lattice."""
        first, last = split(self.number, self._communicator.size)[self._communicator.rank]
        count = 2 * (last - first)
        drawn = self._device.draw_uniforms(seed, randomness.TRACER_POSITIONS, 0, 2 * first, count)
        return np.arange(first, last), drawn.reshape(-1, 2) * self._slab.lattice.shape

    def set(self, identity: NDArray[np.int64], position: NDArray[np.float64]) -> None:
        """Set the tracers, anywhere on the lattice: send them to their ranks.  Collective.

        Parameters
        ----------
        identity : int64 array, shape (n,)
        position : float64 array, shape (n, 2)
        """
        # Copies: on the host they would be the caller's arrays, and are changed in place.
        self.identity = self._device.asarray(np.array(identity, np.int64))
        self.position = self._device.asarray(np.array(position, np.float64))
        self._use(self.identity, self.position)
        self._migrate()
        self._sort()

    def keep_in(self, position: NDArray[np.float64]) -> None:
        """Keep the positions in an array of the device, shape (local tracers, 2), from now on."""
        position[:] = self.position
        self.position = position
        self._use(self.identity, position)

    def _use(self, identity: NDArray[np.int64], position: NDArray[np.float64]) -> None:
        """Use these arrays, of which all rows are occupied."""
        self._rooms = identity, position  # with free rows after those of the tracers
        self._number = self._device.asarray(np.array([len(position)]))
        slab, length = self._slab, self._slab.lattice.shape[0]
        self._departures = self._device.departures(slab.start, slab.stop, length, self.number)
        self.replaced += 1

    def movement(self, time_step: float) -> TracerMove:
        """Return their next move, without the flow; `migrate` must come before it.

        Parameters
        ----------
        time_step : float
            Factor of the flow.
        """
        slab, room = self._slab, (self._rooms[1], self._number)
        length, first = slab.lattice.shape[0], slab.start
        return TracerMove(self.interpolation, self.position, time_step, length, first, room)

    def look(self) -> None:
        """Look who has left the slab by a move: the last part of it, which may be recorded."""
        if self._communicator.size > 1:
            self._departures.look(*self._rooms, self._number)

    def migrate(self) -> None:
        """Send the tracers that left the slab by the last move to their new rank.  Collective.

        Not before the next move: by then a card may have found them without being waited for.
        """
        self._migrate()
        self._moves += 1
        if self._moves % SORT_EVERY == 0:
            self._sort()

    def _migrate(self) -> None:
        """Send the tracers that are not in this slab to the rank that owns their row."""
        if self._communicator.size == 1:
            return
        device, length = self._device, self._slab.lattice.shape[0]
        leaving, *known = self._departures.found(self.identity, self.position)
        if not self._communicator.any(len(leaving) > 0):
            return  # as in most steps
        records = np.empty(len(leaving), RECORD)
        records["identity"], records["position"] = known
        row = np.floor(records["position"][:, 0]).astype(np.int64) % length
        owner = np.searchsorted(self._starts, row, side="right") - 1
        arriving = self._communicator.route(records, owner)
        if len(leaving) or len(arriving):
            number, (identity, position) = len(self.identity), self._rooms
            self._rooms = (
                device.replace_rows(identity, number, leaving, arriving["identity"]),
                device.replace_rows(position, number, leaving, arriving["position"]),
            )
            if self._rooms[1] is not position:
                self.replaced += 1
            number += len(arriving) - len(leaving)
            self._number[:] = number
            self.identity, self.position = (room[:number] for room in self._rooms)

    def _sort(self) -> None:
        """Order the tracers by site, so that neighbours in memory read neighbouring velocities."""
        order = self._device.order_by_site(self.position, self._slab.lattice.shape)
        # In place, so that a recorded step stays valid.
        self.identity[:], self.position[:] = self.identity[order], self.position[order]
