"""One step of the sites, as a task for a device; the rate of their stress is given apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from epmpi.physics.rules import Increments, SwitchingRule


@dataclass(frozen=True, kw_only=True)
class Update:
    """Stress and plastic strain advance (Eq. 1), then the sites switch (Eq. 2).

    Attributes
    ----------
    stress : float array
        sigma, in the precision of the run; updated, as are the next two.
    plastic_strain : float64 array
    active : int8 array
        n s.
    step : uint64 array, shape (1,)
        A `counter` of the device.
    rule : SwitchingRule
    increments : Increments
    events : int64 array
        See the kinds of update.
    begun : int64 array or None
        See the kinds of update.
    """

    stress: NDArray
    plastic_strain: NDArray
    active: NDArray
    step: NDArray[np.uint64]
    rule: SwitchingRule
    increments: Increments
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

    def lattice(self, number: int) -> SiteUpdate:
        """Return the step of one of the lattices, on views of its part of the arrays."""
        return SiteUpdate(
            stress=self.stress[:, number],
            plastic_strain=self.plastic_strain[:, number],
            active=self.active[:, number],
            step=self.step,
            rule=self.rule,
            increments=self.increments,
            events=self.events[number],
            begun=None if self.begun is None else self.begun[number],
            seed=int(self.seeds[number]),
            first_site=0,
        )
