"""One step of the sites, but for the rate of their stress: what a pass over rows does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from epmpi.devices.device import Device


@dataclass(frozen=True, kw_only=True)
class Update:
    """Stress and plastic strain advance (Eq. 1), then the sites switch (Eq. 2).

    Attributes
    ----------
    device : Device
    stress : float array
        sigma, in the precision of the run; updated, as are the next two.
    plastic_strain : float64 array
    direction : int8 array
        n s.
    step : uint64 array, shape (1,)
        A `counter` of the device.
    forcing, parameters : tuple
        Of `activation.Activation`.
    events : int64 array
        See the kinds of update.
    begun : int64 array or None
        See the kinds of update.
    """

    device: Device
    stress: NDArray
    plastic_strain: NDArray
    direction: NDArray
    step: NDArray[np.uint64]
    forcing: tuple[float, float]
    parameters: tuple[int, float, float, float, float, float]
    events: NDArray[np.int64]
    begun: NDArray[np.int64] | None = None


@dataclass(frozen=True, kw_only=True)
class SiteUpdate(Update):
    """The step of the sites of a slab, arrays (rows, Ly).

    Attributes
    ----------
    seed : int
    first_site : int
        Global index of the slab's first site.
    events : int64 array, shape (2,)
        The number of events that began is added to the first; where `begun` is given, the second
        becomes that of the last block.
    begun : int64 array, shape (sites,) or None
        Its beginning receives the indices of their sites, in any order, counted from the first of
        the block.
    """

    seed: int
    first_site: int

    def advance(self, begin: int, end: int, stress_rate: NDArray, source: NDArray) -> None:
        """Advance the rows begin ... end; see `Device.advance_sites`."""
        self.device.advance_sites(self, begin, end, stress_rate, source)


@dataclass(frozen=True, kw_only=True)
class BatchUpdate(Update):
    """The step of whole lattices side by side, arrays (Lx, lattices, Ly).

    Attributes
    ----------
    seeds : uint64 array, shape (lattices,)
    events : int64 array, shape (lattices, 2)
        Of each lattice as in a `SiteUpdate`.
    begun : int64 array, shape (lattices, Lx Ly), or None
        Likewise.
    """

    seeds: NDArray[np.uint64]

    def advance(self, stress_rate: NDArray, source: NDArray) -> None:
        """Advance all rows; see `Device.advance_batch`."""
        self.device.advance_batch(self, stress_rate, source)

    def lattice(self, number: int) -> SiteUpdate:
        """Return the step of one of the lattices, on views of its part of the arrays."""
        return SiteUpdate(
            device=self.device,
            stress=self.stress[:, number],
            plastic_strain=self.plastic_strain[:, number],
            direction=self.direction[:, number],
            step=self.step,
            forcing=self.forcing,
            parameters=self.parameters,
            events=self.events[number],
            begun=None if self.begun is None else self.begun[number],
            seed=int(self.seeds[number]),
            first_site=0,
        )
