"""The sites of a slab: their stress, plastic strain, n s and thresholds, on the device."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike, NDArray

from epmpi.devices import Device


class Fields:
    """Fields of the sites of a slab, and the number of events that began in it.

    Parameters
    ----------
    shape : (rows, Ly)
    dtype : dtype
        float64 or float32, of the stress.
    thresholds : bool
        Whether each site has a threshold of its own.

    Attributes
    ----------
    stress : float array, shape (rows, Ly)
        sigma.
    plastic_strain : float64 array, shape (rows, Ly)
    active : int8 array, shape (rows, Ly)
        n s: 0 inactive, +1 or -1 active.
    threshold : float64 array, shape (rows, Ly), or None
        sigma_Y of each site, a stress; None where all are alike.
    events : int64 array, shape (2,)
        The events that began on this rank: in all; in the last block of rows.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        dtype: DTypeLike,
        device: Device,
        *,
        thresholds: bool = False,
    ) -> None:
        self.stress = device.zeros(shape, dtype)
        self.plastic_strain = device.zeros(shape, np.float64)
        self.active = device.zeros(shape, np.int8)
        self.threshold = device.zeros(shape, np.float64) if thresholds else None
        self.events = device.zeros((2,), np.int64)

    def by_name(self) -> dict[str, NDArray]:
        """Return the arrays by site."""
        found = {
            "stress": self.stress,
            "plastic_strain": self.plastic_strain,
            "active": self.active,
        }
        return found if self.threshold is None else found | {"threshold": self.threshold}

    def keep_in(
        self,
        stress: NDArray,
        plastic_strain: NDArray,
        active: NDArray[np.int8],
        events: NDArray[np.int64],
    ) -> None:
        """Move the fields into these arrays of the device."""
        stress[:], plastic_strain[:] = self.stress, self.plastic_strain
        active[:], events[:] = self.active, self.events
        self.stress, self.plastic_strain = stress, plastic_strain
        self.active, self.events = active, events
