"""A batch: models of equal lattices on one device that take their steps together.

Their fields lie side by side, ``(x, lattice, y)``, and each pass over memory takes all of them, so
that a GPU is kept busy by lattices that would each leave it idle.  The state of each model is a
view of its part: it is read and written as ever, and on a CPU it is the same bit for bit as if the
model had taken its steps alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from epmpi.config import ConfigError
from epmpi.devices import BatchUpdate
from epmpi.elasticity import elastic_kernels
from epmpi.model import Model
from epmpi.spectral import BatchConvolution, SlabFFT


class Batch:
    """Takes the steps of several models.

    Parameters
    ----------
    models : sequence of Model
        At the same step, with configurations that differ in the seed only, on one rank; from now on
        views of the arrays of the batch.

    Raises
    ------
    ConfigError
        If they cannot take their steps together.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        self.models = list(models)
        first = self.models[0]
        fft, device, configuration = first.fft, first.device, first.configuration
        if not isinstance(fft, SlabFFT) or fft.communicator.size > 1:
            raise ConfigError(
                f'a batch needs one rank and an engine of its own, got "{fft.engine}"'
            )
        if len({model.step_count for model in self.models}) > 1:
            raise ValueError("the models of a batch are at different steps")
        self._device = device
        self._moving = first.tracers.number > 0
        kernels, imaginary, halo = elastic_kernels(configuration, fft, with_flow=self._moving)
        self.convolution = BatchConvolution(fft, len(self.models), kernels, imaginary, halo)
        self._before = halo[0]
        self.stress = self._joined("stress")
        self.plastic_strain = self._joined("plastic_strain")
        self.direction = self._joined("direction")
        self._seeds = device.asarray(
            np.array([model.configuration.run.seed for model in self.models], np.uint64)
        )
        self._number = device.counter(first.step_count)
        self._events = device.zeros((len(self.models), 2), np.int64)
        for number, model in enumerate(self.models):
            self._events[number] = model.events
            model.events = self._events[number]
            model.number = self._number
        self._begun: NDArray[np.int64] | None = None
        if first.accumulators:
            self._begun = device.empty((len(self.models), first.lattice.sites), np.int64)
        self._repeat = device.repeater()
        if self._moving:
            self._join_tracers()
        self.update_response()

    def _joined(self, name: str) -> NDArray:
        """Return the fields of all models side by side; the models' own become views of them."""
        fields = [getattr(model, name) for model in self.models]
        length, width = fields[0].shape
        shape = length, len(fields), width
        joined = self._device.side_by_side(shape, fields[0].dtype)
        for number, (model, field) in enumerate(zip(self.models, fields, strict=True)):
            joined[:, number] = field
            setattr(model, name, joined[:, number])
        return joined

    def _join_tracers(self) -> None:
        """Put the tracers of all models one after the other; the models' own become views."""
        shape = len(self.models), self.models[0].tracers.number, 2
        self.position = self._device.empty(shape, np.float64)
        for number, model in enumerate(self.models):
            model.tracers.keep_in(self.position[number])

    def step(self) -> None:
        """Advance all models by one time step; see `Model.step`."""
        self._repeat(self.models[0].activation.parameters, self._advance)
        for model in self.models:
            model.step_count += 1

    def _advance(self) -> None:
        """Do the work of a step, which is the same each time but for the numbers on the device."""
        first, response = self.models[0], self.convolution.response
        length = first.lattice.shape[0]
        update = BatchUpdate(
            device=self._device,
            stress=self.stress,
            plastic_strain=self.plastic_strain,
            direction=self.direction,
            step=self._number,
            forcing=first.activation.forcing,
            parameters=first.activation.parameters,
            events=self._events,
            begun=self._begun,
            seeds=self._seeds,
        )
        stress_rate = response[self._before : self._before + length, 0]
        update.advance(stress_rate, self.convolution.source)
        if self._begun is not None:
            for model, begun in zip(self.models, self._begun, strict=True):
                model.pass_events_on(0, begun)
        self._number += 1
        if self._moving:
            flow = response[:, 1:].swapaxes(0, 1)
            time_step = first.configuration.time.step
            interpolation = first.tracers.interpolation
            self._device.move_batch(interpolation, self.position, flow, time_step, length)
        self.convolution.apply()

    def update_response(self) -> None:
        """Compute the elastic response to the present directions."""
        self.convolution.source[:] = self.direction
        self.convolution.apply()
