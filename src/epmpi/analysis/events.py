"""The log of events of a run (`output.events`): every event with its time, site and direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Events:
    """Events that began after the warm-up and have ended, in the order in which they ended.

    Events that had not ended when the log was last written are missing.

    Attributes
    ----------
    start : float64 array, shape (events,)
        Times at which they began, since the end of the warm-up, in tau.
    duration : float64 array, shape (events,)
        In tau.
    x, y : int32 arrays, shape (events,)
        The sites.
    direction : int8 array, shape (events,)
        +1 or -1.
    distance, drop : float32 arrays, shape (events,), or None
        Of instantaneous events: ``sigma_Y - |sigma|`` of the site before, and by how much its
        stress changed, towards 0 if positive; in yield stresses.
    """

    start: NDArray[np.float64]
    duration: NDArray[np.float64]
    x: NDArray[np.int32]
    y: NDArray[np.int32]
    direction: NDArray[np.int8]
    distance: NDArray[np.float32] | None = None
    drop: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.start)

    def fault(self, shape: tuple[int, int]) -> str:
        """Return the first fault of a log for a lattice (Lx, Ly), or an empty string."""
        for name, values, most in (("x", self.x, shape[0]), ("y", self.y, shape[1])):
            if np.any((values < 0) | (values >= most)):
                return f"{name} beyond the lattice"
        if not (np.isfinite(self.start).all() and np.isfinite(self.duration).all()):
            return "times that are not finite"
        if np.any(self.start <= 0) or np.any(self.duration < 0):
            return "times below zero"
        for name, stresses in (("distance", self.distance), ("drop", self.drop)):
            if stresses is not None and not np.isfinite(stresses).all():
                return f"a {name} that is not finite"
        return "" if np.all(np.abs(self.direction) == 1) else "directions that are not +1 or -1"

    def waits(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the times of repeated activations, and the waits since the previous ones.

        Site by site, in order of time; in tau.
        """
        order = np.lexsort((self.start, self.y, self.x))
        x, y, start = self.x[order], self.y[order], self.start[order]
        again = (x[1:] == x[:-1]) & (y[1:] == y[:-1])
        return start[1:][again], np.diff(start)[again]
