"""The engine of finite events, which strain for a time at a constant rate: Eqs. (1) and (2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from epmpi.config import Configuration
from epmpi.devices import Device
from epmpi.devices.thinning import PROGRESS, Events, Records, Sites, Tiles
from epmpi.model.exact.engine import CAPACITY, Engine, media, scratch, tile_arrays
from epmpi.physics.rules import SwitchingRule


class FiniteEngine(Engine):
    """Sites that are active or not; see `Engine` and `media`."""

    ENDED = ("x", "y", "direction", "start", "end")
    records: Records

    def __init__(
        self,
        configuration: Configuration,
        kernels: Sequence[NDArray[np.float64]],
        drive: float,
        device: Device,
    ) -> None:
        [medium] = media(configuration, kernels, drive)
        shape, width = (medium.length, medium.breadth), medium.width
        sites, number = shape[0] * shape[1], medium.along_x * medium.along_y
        entries = sites + CAPACITY
        records = Records(
            medium,
            Sites(
                stress=np.zeros((number, width * width)),
                inactive=np.zeros((number, width * width)),
                active=np.zeros(shape, np.int8),
                last=np.full(shape, -np.inf),
            ),
            Tiles(**tile_arrays(Tiles._fields, medium)),
            Events(
                active_x=np.zeros(sites, np.int64),
                active_y=np.zeros(sites, np.int64),
                active_since=np.zeros(sites),
                x=np.zeros(CAPACITY, np.int64),
                y=np.zeros(CAPACITY, np.int64),
                direction=np.zeros(CAPACITY, np.int8),
                start=np.zeros(CAPACITY),
                end=np.zeros(CAPACITY),
                begun_at=np.zeros(entries),
                waited=np.zeros(entries),
            ),
            scratch(medium, entries),
        )
        super().__init__(
            records, PROGRESS, configuration.run.seed, device.thinning(), records.sites.active
        )

    def begin(self, stress: NDArray, active: NDArray[np.int8], rule: SwitchingRule) -> None:
        """Begin at time 0 with the stress and n s of all sites, (Lx, Ly)."""
        self.active[:] = active
        self.progress["active"] = 0
        tiles = self.records.tiles
        tiles.falling[:] = tiles.rising[:] = 0.0
        self._loops.list_active(self.records, self._state)
        super().begin(stress, active, rule)

    def yielded(self, now: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return where sites have yielded, and for how long; see `Engine.yielded`."""
        active, completed = self.progress["active"], self.progress["completed"]
        events = self.records.events
        x = np.concatenate([events.x[:completed], events.active_x[:active]])
        y = np.concatenate([events.y[:completed], events.active_y[:active]])
        sign = self.active[x[completed:], y[completed:]]
        ended = events.end[:completed] - np.maximum(events.start[:completed], 0.0)
        present = now - np.maximum(events.active_since[:active], 0.0)
        time = np.concatenate([events.direction[:completed] * ended, sign * present])
        return x * self.medium.breadth + y, time

    def active_time(self, now: float) -> float:
        """Return the time that all sites together have been active since the last flush."""
        return float(np.abs(self.yielded(now)[1]).sum())
