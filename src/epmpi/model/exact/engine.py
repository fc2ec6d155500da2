"""Arrays of the exact clock for the lattice between two flushes, the same on every rank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.devices import PROGRESS, Events, Loops, Medium, Records, Scratch, Sites, Tiles
from epmpi.physics.rules import SwitchingRule

# Completed events between two flushes: a flush costs about as much as bringing tiles up to date by
# half as many events, on any lattice (`benchmarks.events`).
CAPACITY = 512
ENDED = ("x", "y", "direction", "start", "end")  # fields of completed events
LANES = 8  # tiles come in multiples of it


def in_tiles(field: NDArray, medium: Medium) -> NDArray:
    """Return a field of the lattice (Lx, Ly), tile by tile, (tiles, width^2); 0 beyond it."""
    width, along_x, along_y = medium.width, medium.along_x, medium.along_y
    beyond = (0, along_x * width - medium.length), (0, along_y * width - medium.breadth)
    padded = np.pad(field, beyond) if beyond != ((0, 0), (0, 0)) else field
    tiles = padded.reshape(along_x, width, along_y, width).transpose(0, 2, 1, 3)
    return tiles.reshape(along_x * along_y, width * width)


class Engine:
    """Sites, tiles and events, and the compiled loops that advance them.

    Parameters
    ----------
    medium : Medium
    loops : Loops
    seed : int

    Attributes
    ----------
    records : Records
    sites, tiles, events : Sites, Tiles, Events
        Of the records.
    capacity : int
        Completed events after which a flush is due.
    logged : int
        Those of them that `read_ended` has returned.
    can_shift : bool
        Whether times may be counted from a later moment on without a flush.
    """

    can_shift = False

    def __init__(self, medium: Medium, loops: Loops, seed: int) -> None:
        width = medium.width
        self.logged = 0
        self.shape = shape = medium.length, medium.breadth
        sites, number = shape[0] * shape[1], medium.along_x * medium.along_y
        self.capacity = capacity = CAPACITY
        self.sites = Sites(
            stress=np.zeros((number, width * width)),
            inactive=np.zeros((number, width * width)),
            direction=np.zeros(shape, np.int8),
            last=np.full(shape, -np.inf),
        )
        padded = -(-number // LANES) * LANES
        arrays: dict[str, Any] = {name: np.zeros(padded) for name in Tiles._fields}
        self.tiles = Tiles(**arrays | {"seen": np.zeros(padded, np.int64)})
        self.events = Events(
            active_x=np.zeros(sites, np.int64),
            active_y=np.zeros(sites, np.int64),
            active_since=np.zeros(sites),
            x=np.zeros(capacity, np.int64),
            y=np.zeros(capacity, np.int64),
            direction=np.zeros(capacity, np.int8),
            start=np.zeros(capacity),
            end=np.zeros(capacity),
            begun_at=np.zeros(sites + capacity),
            waited=np.zeros(sites + capacity),
        )
        rooms = {name: np.zeros(LANES) for name in ("rate_sums", "bound_sums", "maxima")}
        scratch = Scratch(
            rate=np.zeros(width * width),
            size=np.zeros(width * width),
            origin=np.zeros(sites + capacity, np.int64),
            amount=np.zeros(sites + capacity),
            **rooms,
        )
        self.records = Records(medium, self.sites, self.tiles, self.events, scratch)
        self._state = np.zeros(1, PROGRESS)
        self.progress = self._state[0]  # a view
        self._loops = loops
        self._seed = np.uint64(seed)

    @property
    def direction(self) -> NDArray[np.int8]:
        """The product n s of all sites, (Lx, Ly)."""
        return self.sites.direction

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
        """Begin at time 0 with the stress and the directions of all sites, (Lx, Ly)."""
        self.set_stress(stress)
        self.sites.direction[:] = direction
        self.sites.last[:] = -np.inf
        self.tiles.falling[:] = self.tiles.rising[:] = 0.0
        for name in ("active", "completed", "begun"):
            self.progress[name] = 0
        self._loops.list_active(self.records, self._state)
        self.restart(0.0, rule)

    def restart(self, now: float, rule: SwitchingRule) -> None:
        """Count times from now on, with the stress of all sites set to that of now."""
        self.logged = 0
        self._loops.restart(now, self.records, self._state, self._seed, rule)

    def shift(self, now: float) -> None:
        """Raise: events that go on are counted from a flush."""
        raise NotImplementedError("finite events are counted from a flush; see `can_shift`")

    def follow(self, until: float, stop: int, rule: SwitchingRule) -> int:
        """Follow all events up to a time, or until so many are complete; see `Loops.follow`."""
        return self._loops.follow(until, stop, self.records, self._state, self._seed, rule)

    def yielded(self, now: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return where sites have yielded since the last flush, and for how long, signed.

        Returns
        -------
        site : int64 array, shape (n,)
        time : float64 array, shape (n,)
            Times the direction: the plastic strain over its rate.
        """
        active, completed, events = self.progress["active"], self.progress["completed"], self.events
        x = np.concatenate([events.x[:completed], events.active_x[:active]])
        y = np.concatenate([events.y[:completed], events.active_y[:active]])
        direction = self.sites.direction[x[completed:], y[completed:]]
        ended = events.end[:completed] - np.maximum(events.start[:completed], 0.0)
        going_on = now - np.maximum(events.active_since[:active], 0.0)
        time = np.concatenate([events.direction[:completed] * ended, direction * going_on])
        return x * self.shape[1] + y, time

    def active_time(self, now: float) -> float:
        """Return the time that all sites together have been active since the last flush."""
        return float(np.abs(self.yielded(now)[1]).sum())

    def read_waits(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return when sites were activated since the last call, and the waits before; once."""
        begun = int(self.progress["begun"])
        self.progress["begun"] = 0
        return self.events.begun_at[:begun], self.events.waited[:begun]

    def read_ended(self) -> dict[str, NDArray]:
        """Return the events that have ended since the last call, by the fields of `Events`; once.

        Those since the last flush alone: it must be called before one.
        """
        new = slice(self.logged, int(self.progress["completed"]))
        self.logged = new.stop
        return {name: getattr(self.events, name)[new] for name in ENDED}

    def arrays(self) -> dict[str, NDArray]:
        """Return all that the future depends on, by name; waits and ends must have been read."""
        active, completed = self.progress["active"], self.progress["completed"]
        used = {
            name: array[: active if name.startswith("active") else completed]
            for name, array in self.events._asdict().items()
            if name not in ("begun_at", "waited")
        }
        found = {f"site_{name}": array for name, array in self.sites._asdict().items()}
        found |= {f"tile_{name}": array for name, array in self.tiles._asdict().items()}
        found |= {f"event_{name}": array for name, array in used.items()}
        found["bound_sums"] = self.records.scratch.bound_sums
        return found | {f"progress_{name}": self._state[name] for name in PROGRESS.names or ()}

    def restore(self, arrays: Mapping[str, NDArray]) -> None:
        """Take over what `arrays` has returned."""
        for name in PROGRESS.names or ():
            self._state[name] = arrays[f"progress_{name}"]
        for name, array in self.arrays().items():
            array[:] = arrays[name]
        self.logged = int(self.progress["completed"])
