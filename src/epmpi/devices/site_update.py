"""One step of the sites of a slab, but for the rate of their stress: what a pass over rows does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from epmpi.devices.device import Device


@dataclass(frozen=True)
class SiteUpdate:
    """Stress and plastic strain advance (Eq. 1), then the sites switch (Eq. 2).

    Attributes
    ----------
    device : Device
    stress, plastic_strain, direction : arrays, shape (rows, Ly)
        Of the slab; updated.
    seed : int
    step : uint64 array, shape (1,)
        A `counter` of the device.
    first_site : int
        Global index of the slab's first site.
    forcing, parameters : tuple
        Of `activation.Activation`.
    events : int64 array, shape (2,)
        The number of events that began is added to the first; where `begun` is given, the second
        becomes that of the last block.
    begun : int64 array, shape (sites,) or None
        Its beginning receives the indices of their sites, counted from the first of the block.
    """

    device: Device
    stress: NDArray
    plastic_strain: NDArray
    direction: NDArray
    seed: int
    step: NDArray[np.uint64]
    first_site: int
    forcing: tuple[float, float]
    parameters: tuple[int, float, float, float, float, float]
    events: NDArray[np.int64]
    begun: NDArray[np.int64] | None

    def advance(self, begin: int, end: int, stress_rate: NDArray, source: NDArray) -> None:
        """Advance the rows begin ... end.

        Parameters
        ----------
        begin, end : int
        stress_rate : float array, shape (end - begin, Ly)
            2 mu G * d(eps_pl)/dt, for the directions before the step.
        source : float array, shape (end - begin, Ly)
            Receives the directions after it.
        """
        self.device.advance_sites(
            self.stress[begin:end], self.plastic_strain[begin:end], self.direction[begin:end],
            stress_rate, source, self.seed, self.step,
            self.first_site + begin * self.stress.shape[1], self.forcing, self.parameters,
            self.events, self.begun,
        )  # fmt: skip
