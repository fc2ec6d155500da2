"""Arrays of the exact clock for the lattice between two flushes, the same on every rank."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.config import Configuration
from epmpi.devices.jumps import JumpRecords
from epmpi.devices.thinning import Medium, Records, Scratch
from epmpi.model.exact.response import tabulate, tile_width
from epmpi.model.expected import expected_activity
from epmpi.physics.rules import SwitchingRule

# Completed events between two flushes: a flush costs about as much as bringing tiles up to date by
# half as many events, on any lattice (`benchmarks.events`).
CAPACITY = 512
LANES = 8  # tiles come in multiples of it


def in_tiles(field: NDArray, medium: Medium) -> NDArray:
    """Return a field of the lattice (Lx, Ly), tile by tile, (tiles, width^2); 0 beyond it."""
    width, along_x, along_y = medium.width, medium.along_x, medium.along_y
    beyond = (0, along_x * width - medium.length), (0, along_y * width - medium.breadth)
    padded = np.pad(field, beyond) if beyond != ((0, 0), (0, 0)) else field
    tiles = padded.reshape(along_x, width, along_y, width).transpose(0, 2, 1, 3)
    return tiles.reshape(along_x * along_y, width * width)


def on_the_lattice(tiles: NDArray, medium: Medium) -> NDArray:
    """Return a field of the lattice (Lx, Ly) from its tiles, (tiles, width^2)."""
    width, along_x, along_y = medium.width, medium.along_x, medium.along_y
    grid = tiles.reshape(along_x, along_y, width, width).transpose(0, 2, 1, 3)
    return grid.reshape(along_x * width, -1)[: medium.length, : medium.breadth]


def tile_arrays(fields: tuple[str, ...], medium: Medium) -> dict[str, Any]:
    """Return an array of zeros (tiles,) for each field of tiles, `seen` of integers."""
    number = -(-medium.along_x * medium.along_y // LANES) * LANES
    return {name: np.zeros(number, np.int64 if name == "seen" else np.float64) for name in fields}


def media(
    configuration: Configuration, kernels: Sequence[NDArray[np.float64]], drive: float
) -> list[Medium]:
    """Return the elastic responses in tiles, the same on all ranks: one, or for cos and sin 4 psi.

    Parameters
    ----------
    kernels : arrays, shape (Lx, Ly)
        Stress rates while the site (0, 0) yields: one; of events of random orientation three.
    """
    model = configuration.model
    thermal = model.events == "instantaneous" and model.activation == "thermal"
    activity = expected_activity(configuration)
    width = tile_width(kernels[0].size, activity, thermal_jumps=thermal)
    return [tabulate(kernel, width, drive) for kernel in kernels[-2:]]


def scratch(medium: Medium, entries: int) -> Scratch:
    """Return work arrays for a tile whose stress lacks the responses to so many events at most."""
    sites = medium.width**2
    rooms = {name: np.zeros(LANES) for name in ("rate_sums", "bound_sums", "maxima")}
    return Scratch(
        rate=np.zeros(sites),
        size=np.zeros(sites),
        origin=np.zeros(entries, np.int64),
        amount=np.zeros(entries),
        **rooms,
    )


class Engine(ABC):
    """Sites, tiles and events, and the compiled loops that advance them.

    Parameters
    ----------
    progress : dtype
        Of the record of the state of the clock.
    active : int8 array, shape (Lx, Ly)
        The product n s of all sites, which the loops update; 0 with instantaneous events.
    more : tuple
        What the loops take beside the rule.

    Attributes
    ----------
    progress : record of that dtype
        A view.
    active : int8 array, shape (Lx, Ly)
    capacity : int
        Completed events after which a flush is due.
    logged : int
        Those of them that `read_ended` has returned.
    """

    ENDED: tuple[str, ...]  # fields of events that are logged

    def __init__(
        self,
        records: Records | JumpRecords,
        progress: np.dtype,
        seed: int,
        loops: Any,
        active: NDArray[np.int8],
        more: tuple[Any, ...] = (),
    ) -> None:
        self.records = records
        self.active = active
        self.capacity = CAPACITY
        self.logged = 0
        self._state = np.zeros(1, progress)
        self.progress = self._state[0]
        self._seed = np.uint64(seed)
        self._loops = loops
        self._more = more

    @property
    def medium(self) -> Medium:
        """The elastic response and the drive."""
        return self.records.medium

    @property
    def threshold(self) -> NDArray[np.float64]:
        """The threshold of each site, (Lx, Ly), a stress."""
        raise NotImplementedError("finite events have one threshold")

    def set_drive(self, drive: float) -> None:
        """Impose a stress rate, stress a unit of time, on all sites; `restart` must follow."""
        self.records = self.records._replace(medium=self.medium._replace(drive=drive))

    def set_stress(self, stress: NDArray[np.float64]) -> None:
        """Set the stress of all sites, (Lx, Ly), as it is at the time of the next `restart`."""
        self.records.sites.stress[:] = in_tiles(stress, self.medium)

    def set_threshold(self, threshold: NDArray[np.float64]) -> None:
        """Set the threshold of each site, (Lx, Ly), a stress; `restart` must follow."""
        raise NotImplementedError("finite events have one threshold")

    def begin(self, stress: NDArray, active: NDArray[np.int8], rule: SwitchingRule) -> None:
        """Begin at time 0 with the stress and n s of all sites, (Lx, Ly)."""
        self.set_stress(stress)
        self.records.sites.last[:] = -np.inf
        for name in ("completed", "begun"):
            self.progress[name] = 0
        self.restart(0.0, rule)

    def restart(self, now: float, rule: SwitchingRule) -> None:
        """Count times from now on; the stress of all sites has been set to that of now."""
        self.logged = 0
        self._loops.restart(now, self.records, self._state, self._seed, rule, *self._more)

    def shift(self, now: float) -> bool:
        """Count times from now on, and change nothing else; return whether that can be done."""
        return False

    def follow(self, until: float, stop: int, rule: SwitchingRule) -> int:
        """Follow all events up to a time, or till so many are complete.

        See `cpu.thinning` and `cpu.jumps`.
        """
        found: int = self._loops.follow(
            until, stop, self.records, self._state, self._seed, rule, *self._more
        )
        return found

    @abstractmethod
    def yielded(self, now: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return where sites have yielded since the last flush, and for how long, signed.

        Returns
        -------
        site : int64 array, shape (n,)
        time : float64 array, shape (n,), or (3, n) of random orientation
            Times the direction: the plastic strain over its rate; then times cos 4 psi and sin 4
            psi.
        """

    @abstractmethod
    def active_time(self, now: float) -> float:
        """Return the time that all sites together have been active since the last flush."""

    def read_waits(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return when sites were activated since the last call, and the waits before; once."""
        begun = int(self.progress["begun"])
        self.progress["begun"] = 0
        return self.records.events.begun_at[:begun], self.records.events.waited[:begun]

    def read_ended(self) -> dict[str, NDArray]:
        """Return the events that have ended since the last call, by the columns of the log; once.

        Those since the last flush alone: it must be called before one.
        """
        new = slice(self.logged, int(self.progress["completed"]))
        self.logged = new.stop
        return {name: getattr(self.records.events, name)[new] for name in self.ENDED}

    def arrays(self) -> dict[str, NDArray]:
        """Return the arrays of the state, by name; waits and ends must have been read."""
        active, completed = self.progress["active"], self.progress["completed"]
        used = {
            name: array[: active if name.startswith("active") else completed]
            for name, array in self.records.events._asdict().items()
            if name not in ("begun_at", "waited")
        }
        found = {f"site_{name}": array for name, array in self.records.sites._asdict().items()}
        found |= {f"tile_{name}": array for name, array in self.records.tiles._asdict().items()}
        found |= {f"event_{name}": array for name, array in used.items()}
        found["bound_sums"] = self.records.scratch.bound_sums
        names = self._state.dtype.names or ()
        return found | {f"progress_{name}": self._state[name] for name in names}

    def restore(self, arrays: Mapping[str, NDArray]) -> None:
        """Restore the arrays of `arrays`."""
        for name in self._state.dtype.names or ():
            self._state[name] = arrays[f"progress_{name}"]
        for name, array in self.arrays().items():
            array[:] = arrays[name]
        self.logged = int(self.progress["completed"])
