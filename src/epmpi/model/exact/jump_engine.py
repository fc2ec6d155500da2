"""Arrays of the exact clock for a lattice with instantaneous events, the same on every rank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.devices import (
    JUMP_PROGRESS,
    JumpLoops,
    JumpRecords,
    Jumps,
    JumpScratch,
    JumpSites,
    JumpTiles,
    Medium,
    Orientation,
)
from epmpi.model.exact.engine import CAPACITY, LANES, in_tiles
from epmpi.physics.jumps import JumpRule
from epmpi.physics.rules import SwitchingRule

ENDED = ("x", "y", "direction", "start", "distance", "drop")  # fields of events that are logged


class JumpEngine:
    """Sites, tiles and events, and the compiled loops that advance them; as `Engine` does.

    Parameters
    ----------
    medium : Medium
    orientation : Orientation
        Unused where that of all events is fixed.
    loops : JumpLoops
    seed : int
    jump : JumpRule
    threshold : float64 array, shape (Lx, Ly)
        Of each site at the start.

    Attributes
    ----------
    records : JumpRecords
    capacity : int
        Events after which a flush is due.
    logged : int
        Those of them that `read_ended` has returned.
    direction : int8 array, shape (Lx, Ly)
        Zero: no site is ever active.
    """

    can_shift = True

    def __init__(
        self,
        medium: Medium,
        orientation: Orientation,
        loops: JumpLoops,
        seed: int,
        jump: JumpRule,
        threshold: NDArray[np.float64],
    ) -> None:
        width, shape = medium.width, (medium.length, medium.breadth)
        self.logged = 0
        self.direction = np.zeros(shape, np.int8)
        number = medium.along_x * medium.along_y
        self.capacity = capacity = CAPACITY
        self.sites = JumpSites(
            stress=np.zeros((number, width * width)),
            threshold=in_tiles(threshold, medium),
            inside=in_tiles(np.ones(shape), medium),
            last=np.full(shape, -np.inf),
        )
        padded = -(-number // LANES) * LANES
        arrays: dict[str, Any] = {name: np.zeros(padded) for name in JumpTiles._fields}
        self.tiles = JumpTiles(**arrays | {"seen": np.zeros(padded, np.int64)})
        kinds: dict[str, type] = {"x": np.int64, "y": np.int64, "direction": np.int8}
        events: dict[str, Any] = {
            name: np.zeros(capacity, kinds.get(name, np.float64)) for name in Jumps._fields
        }
        self.events = Jumps(**events)
        rooms = {name: np.zeros(LANES) for name in ("rate_sums", "bound_sums", "maxima")}
        scratch = JumpScratch(
            rate=np.zeros(width * width),
            size=np.zeros(width * width),
            origin=np.zeros(capacity, np.int64),
            amount=np.zeros(capacity),
            **rooms,
        )
        self.records = JumpRecords(medium, self.sites, self.tiles, self.events, scratch)
        self._state = np.zeros(1, JUMP_PROGRESS)
        self.progress = self._state[0]  # a view
        self._loops = loops
        self._seed = np.uint64(seed)
        self._jump = jump
        self._orientation = orientation

    @property
    def medium(self) -> Medium:
        """The elastic response and the drive."""
        return self.records.medium

    def set_drive(self, drive: float) -> None:
        """Impose another stress rate on all sites; `restart` must follow."""
        self.records = self.records._replace(medium=self.medium._replace(drive=drive))

    def set_stress(self, stress: NDArray[np.float64]) -> None:
        """Set the stress of all sites, (Lx, Ly), as it is at the time of the next `restart`."""
        self.sites.stress[:] = in_tiles(stress, self.medium)

    def begin(self, stress: NDArray, direction: NDArray[np.int8], rule: SwitchingRule) -> None:
        """Begin at time 0 with the stress of all sites, (Lx, Ly), none of which is active."""
        self.set_stress(stress)
        self.sites.last[:] = -np.inf
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
        """Count times from now on, with all else as it is."""
        for name in ("now", "renewed", "horizon", "next"):
            self.progress[name] -= now
        self.sites.last[:] -= now
        self.events.start[:] -= now

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
        completed, events = self.progress["completed"], self.events
        x, y = events.x[:completed], events.y[:completed]
        amount = events.amount[:completed].copy()
        if self._jump.oriented:
            factors = events.cosine[:completed], events.sine[:completed]
            amount = np.stack([amount, *(amount * factor for factor in factors)])
        return x * self.direction.shape[1] + y, amount

    def active_time(self, now: float) -> float:
        """Return 0: an instantaneous event takes no time."""
        return 0.0

    def read_waits(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return when sites yielded since the last call, and the waits before; once."""
        begun = int(self.progress["begun"])
        self.progress["begun"] = 0
        return self.events.begun_at[:begun], self.events.waited[:begun]

    def read_ended(self) -> dict[str, NDArray]:
        """Return the events since the last call, by the columns of their log; once.

        Those since the last flush alone: it must be called before one.
        """
        new = slice(self.logged, int(self.progress["completed"]))
        self.logged = new.stop
        found = {name: getattr(self.events, name)[new] for name in ENDED}
        return found | {"end": found["start"]}

    def arrays(self) -> dict[str, NDArray]:
        """Return all that the future depends on, by name; waits and ends must have been read."""
        completed = self.progress["completed"]
        used = {
            name: array[:completed]
            for name, array in self.events._asdict().items()
            if name not in ("begun_at", "waited")
        }
        found = {f"site_{name}": array for name, array in self.sites._asdict().items()}
        found |= {f"tile_{name}": array for name, array in self.tiles._asdict().items()}
        found |= {f"event_{name}": array for name, array in used.items()}
        found["bound_sums"] = self.records.scratch.bound_sums
        return found | {f"progress_{name}": self._state[name] for name in JUMP_PROGRESS.names or ()}

    def restore(self, arrays: Mapping[str, NDArray]) -> None:
        """Take over what `arrays` has returned."""
        for name in JUMP_PROGRESS.names or ():
            self._state[name] = arrays[f"progress_{name}"]
        for name, array in self.arrays().items():
            array[:] = arrays[name]
        self.logged = int(self.progress["completed"])
