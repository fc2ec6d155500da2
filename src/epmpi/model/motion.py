"""Motion of tracers with the medium: by the accumulated strain, or with its velocity.

They move by the midpoint rule, ``r += u(r + u(r) / 2)``, with the displacement u of the medium
since their last move.  It is linear in the plastic strain (see `elasticity`).  So tracers may move
every few steps, by the displacement of all the plastic strain since; or in each step, with the
velocity, the response to the sites that are active.  The error of a path is of second order in the
time between two moves.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from epmpi.config import Configuration
from epmpi.model.elasticity import accumulated_flow
from epmpi.model.fields import Fields
from epmpi.model.passes import Passes, passes_over
from epmpi.model.tracers import Tracers
from epmpi.spectral import Transform, make_transform


class Motion(ABC):
    """Moves the tracers of a slab; `Tracers.migrate` must come before each move."""

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
        self._tracers.look()


class ByAccumulatedStrain(Motion):
    """Tracers move every few steps, by the displacement of the strain since their last move.

    The displacement is computed in single precision, whatever that of the stress: it is rounded to
    about 1e-7 of its largest values, some thousand times less than the error of the paths.

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
        self._fields = fields
        self._tracers = tracers
        self._response = accumulated_flow(configuration, in_single_precision(configuration, fft))
        self._passes = passes_over(self._response, range(self._response.count))
        self._strain_at_move = fft.device.zeros(fft.slab.shape, np.float64)

    def move(self) -> None:
        """Move them by ``u(r + u(r) / 2)``, of the strain since their last move.  Collective."""
        self._passes.set_increments(self._fields.plastic_strain, self._strain_at_move)
        self._response.apply()
        self._passes.move_tracers(self._tracers.movement(1.0))
        self._tracers.look()

    def keep_in(self, strain_at_move: NDArray[np.float64]) -> None:
        """Keep the plastic strain at the last move in an array of the device from now on."""
        strain_at_move[:] = self._strain_at_move
        self._strain_at_move = strain_at_move

    def fields(self) -> dict[str, NDArray]:
        """Return the plastic strain at the last move."""
        return {"strain_at_move": self._strain_at_move}


def in_single_precision(configuration: Configuration, fft: Transform) -> Transform:
    """Return a transform of the same slabs in single precision.  Collective."""
    if fft.dtype == np.float32:
        return fft
    run = configuration.run
    return make_transform(run.fft, fft.lattice, fft.communicator, fft.device, np.float32, run.wire)
