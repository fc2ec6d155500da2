"""How tracers follow the medium: with its velocity, or by the strain that has accumulated.

The displacement is linear in the plastic strain (see `elasticity`).  So tracers may move in each
step with the velocity, the response to the sites that are active; or, as a controlled
approximation, every few steps by the displacement of all the plastic strain since their last move.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from epmpi.config import Configuration
from epmpi.model.elasticity import accumulated_flow
from epmpi.model.fields import Fields
from epmpi.model.passes import BlockPasses, Passes
from epmpi.model.tracers import Tracers
from epmpi.spectral import Transform


class Motion(ABC):
    """Moves the tracers of a slab; `Tracers.settle` must follow each move."""

    @abstractmethod
    def move(self) -> None:
        """Move the tracers to where they are after this step.  Collective."""

    def fields(self) -> dict[str, NDArray]:
        """Return the arrays by site, on the device, that the next move depends on."""
        return {}


class WithVelocity(Motion):
    """Tracers move in each step with the velocity of the medium.

    Parameters
    ----------
    tracers : Tracers
    passes : Passes
        Over the response to the active sites, with its flow.
    time_step : float
    """

    def __init__(self, tracers: Tracers, passes: Passes, time_step: float) -> None:
        self._tracers = tracers
        self._passes = passes
        self._time_step = time_step

    def move(self) -> None:
        """Move the tracers by velocity times time step."""
        self._passes.move_tracers(self._tracers.movement(self._time_step))


class ByAccumulatedStrain(Motion):
    """Tracers move now and then, by the displacement of the plastic strain since their last move.

    They take the displacement half way along their path, the midpoint rule: where they move every
    few steps, that is more accurate than the velocity in every step, for no more than these moves.

    Parameters
    ----------
    configuration : Configuration
    fft : Transform
    fields : Fields
    tracers : Tracers
    """

    def __init__(
        self, configuration: Configuration, fft: Transform, fields: Fields, tracers: Tracers
    ) -> None:
        self._device = fft.device
        self._fields = fields
        self._tracers = tracers
        self._response = accumulated_flow(configuration, fft)
        self._passes = BlockPasses(self._response, range(self._response.count))
        self._strain_at_move = fft.device.zeros(fft.slab.shape, np.float64)

    def move(self) -> None:
        """Move them by ``u(r + u(r) / 2)``, of the strain since their last move.  Collective."""
        strain, before, response = self._fields.plastic_strain, self._strain_at_move, self._response
        for begin, end in response.row_blocks:
            source = response.source_block(begin, end)
            self._device.subtract(strain[begin:end], before[begin:end], source)
            response.set_source(begin, end)
        before[:] = strain
        response.apply()
        self._passes.move_tracers(self._tracers.movement(1.0, midpoint=True))

    def fields(self) -> dict[str, NDArray]:
        """Return the plastic strain at the last move."""
        return {"strain_at_move": self._strain_at_move}
