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


class JumpEngine(Engine):
    """Sites that yield at once; see `Engine`.

    Parameters
    ----------
    orientation : Orientation
        Unused where that of all events is fixed.
    threshold : float64 array, shape (Lx, Ly)
        Of each site at the start, a stress.
    """

    ENDED = ("x", "y", "direction", "start", "distance", "drop")
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
        active = np.zeros(shape, np.int8)  # no site is, at any time
        super().__init__(records, JUMP_PROGRESS, seed, loops, active, (jump, orientation))
        self._oriented = jump.oriented

    @property
    def threshold(self) -> NDArray[np.float64]:
        """The threshold of each site, (Lx, Ly), a stress."""
        return on_the_lattice(self.records.sites.threshold, self.medium)

    def set_threshold(self, threshold: NDArray[np.float64]) -> None:
        """Set the threshold of each site; see `Engine.set_threshold`."""
        self.records.sites.threshold[:] = in_tiles(threshold, self.medium)

    def shift(self, now: float) -> bool:
        """Count times from now on, and change nothing else; see `Engine.shift`."""
        for name in ("now", "renewed", "horizon", "next"):
            self.progress[name] -= now
        self.records.sites.last[:] -= now
        self.records.events.start[:] -= now
        return True

    def yielded(self, now: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return where sites have yielded since the last flush, and how much, signed.

        As `Engine.yielded`: a site that yields for a time of 1 has the same plastic strain as an
        event of this amount.  Of random orientation, (3, n): also times cos 4 psi, and sin 4 psi.
        """
        completed, events = self.progress["completed"], self.records.events
        x, y = events.x[:completed], events.y[:completed]
        amount = events.amount[:completed].copy()
        if self._oriented:
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
        """Return the events since the last call, which end as they start."""
        found = super().read_ended()
        return found | {"end": found["start"]}
