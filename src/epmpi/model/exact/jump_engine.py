"""The engine of instantaneous events, between which the stress changes by the drive alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.devices import (
    JUMP_PROGRESS,
    JumpLoops,
    JumpRecords,
    Jumps,
    JumpSites,
    JumpTiles,
    Medium,
    Orientation,
)
from epmpi.model.exact.engine import (
    CAPACITY,
    Engine,
    in_tiles,
    on_the_lattice,
    scratch,
    tile_arrays,
)
from epmpi.physics.jumps import JumpRule
from epmpi.physics.rules import SwitchingRule

ENDED = ("x", "y", "direction", "start", "distance", "drop")  # fields of events that are logged


class JumpEngine(Engine):
    """Sites that yield at once; see `Engine`.

    Parameters
    ----------
    medium : Medium
    orientation : Orientation
        Unused where that of all events is fixed.
    loops : JumpLoops
    seed : int
    jump : JumpRule
    threshold : float64 array, shape (Lx, Ly)
        Of each site at the start, a stress.
    """

    can_shift = True
    instantaneous = True
    records: JumpRecords

    def __init__(
        self,
        medium: Medium,
        orientation: Orientation,
        loops: JumpLoops,
        seed: int,
        jump: JumpRule,
        threshold: NDArray[np.float64],
    ) -> None:
        shape, number = (medium.length, medium.breadth), medium.along_x * medium.along_y
        kinds: dict[str, type] = {"x": np.int64, "y": np.int64, "direction": np.int8}
        events: dict[str, Any] = {
            name: np.zeros(CAPACITY, kinds.get(name, np.float64)) for name in Jumps._fields
        }
        records = JumpRecords(
            medium,
            JumpSites(
                stress=np.zeros((number, medium.width**2)),
                threshold=in_tiles(threshold, medium),
                inside=in_tiles(np.ones(shape), medium),
                last=np.full(shape, -np.inf),
            ),
            JumpTiles(**tile_arrays(JumpTiles._fields, medium)),
            Jumps(**events),
            scratch(medium, CAPACITY),
        )
        super().__init__(records, JUMP_PROGRESS, seed)
        self._loops = loops
        self._jump = jump
        self._orientation = orientation
        self._active = np.zeros(shape, np.int8)

    @property
    def threshold(self) -> NDArray[np.float64]:
        """The threshold of each site, (Lx, Ly), a stress."""
        return on_the_lattice(self.records.sites.threshold, self.medium)

    def set_threshold(self, threshold: NDArray[np.float64]) -> None:
        """Set the threshold of each site; see `Engine.set_threshold`."""
        self.records.sites.threshold[:] = in_tiles(threshold, self.medium)

    @property
    def active(self) -> NDArray[np.int8]:
        """Zero at all sites, (Lx, Ly): none is ever active."""
        return self._active

    def begin(self, stress: NDArray, active: NDArray[np.int8], rule: SwitchingRule) -> None:
        """Begin at time 0 with the stress of all sites, (Lx, Ly), none of which is active."""
        self.set_stress(stress)
        self.records.sites.last[:] = -np.inf
        for name in ("completed", "begun"):
            self.progress[name] = 0
        self.restart(0.0, rule)

    def restart(self, now: float, rule: SwitchingRule) -> None:
        """Count times from now on, with the stress of all sites set to that of now."""
        self.logged = 0
        self._loops.restart(
            now, self.records, self._state, self._seed, rule, self._jump, self._orientation
        )

    def shift(self, now: float) -> None:
        """Count times from now on, and change nothing else."""
        for name in ("now", "renewed", "horizon", "next"):
            self.progress[name] -= now
        self.records.sites.last[:] -= now
        self.records.events.start[:] -= now

    def follow(self, until: float, stop: int, rule: SwitchingRule) -> int:
        """Follow all events up to a time, or until so many have been; see `Loops.follow`."""
        return self._loops.follow(
            until, stop, self.records, self._state, self._seed, rule, self._jump, self._orientation
        )

    def yielded(self, now: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return where sites have yielded since the last flush, and how much, signed.

        As `Engine.yielded`: a site that yields for a time of 1 has the same plastic strain as an
        event of this amount.  Of random orientation, (3, n): also times cos 4 psi, and sin 4 psi.
        """
        completed, events = self.progress["completed"], self.records.events
        x, y = events.x[:completed], events.y[:completed]
        amount = events.amount[:completed].copy()
        if self._jump.oriented:
            factors = events.cosine[:completed], events.sine[:completed]
            amount = np.stack([amount, *(amount * factor for factor in factors)])
        return x * self.medium.breadth + y, amount

    def active_time(self, now: float) -> float:
        """Return 0: an instantaneous event takes no time."""
        return 0.0

    def arrays(self) -> dict[str, NDArray]:
        """Return the arrays of the state but the thresholds, which are a field of the sites."""
        found = super().arrays()
        del found["site_threshold"]
        return found

    def read_ended(self) -> dict[str, NDArray]:
        """Return the events since the last call; see `Engine.read_ended`."""
        found = self._new_events(ENDED)
        return found | {"end": found["start"]}
