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
from epmpi.devices import BatchUpdate, TracerMove
from epmpi.model.elasticity import elastic_kernels
from epmpi.model.model import Model
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
        self._seeds = device.asarray(
            np.array([model.configuration.run.seed for model in self.models], np.uint64)
        )
        self._join_fields()
        self._begun: NDArray[np.int64] | None = None
        if first.accumulators:
            self._begun = device.empty((len(self.models), first.lattice.sites), np.int64)
        if self._moving:
            self._join_tracers()
        self._step = device.repeated_step(capture=True)
        self._step.begin_at(first.step_count)
        self.update_response()

    def _join_fields(self) -> None:
        """Put the fields of all models side by side; the models' own become views."""
        shape, dtype = self.models[0].slab.shape, self.models[0].stress.dtype
        together = shape[0], len(self.models), shape[1]
        self.stress = self._device.side_by_side(together, dtype)
        self.plastic_strain = self._device.side_by_side(together, np.float64)
        self.direction = self._device.side_by_side(together, np.int8)
        self._events = self._device.zeros((len(self.models), 2), np.int64)
        for number, model in enumerate(self.models):
            model.fields.keep_in(
                self.stress[:, number],
                self.plastic_strain[:, number],
                self.direction[:, number],
                self._events[number],
            )

    def _join_tracers(self) -> None:
        """Put the tracers of all models one after the other; the models' own become views."""
        tracers = self.models[0].tracers
        self.position = self._device.empty((len(self.models), tracers.number, 2), np.float64)
        for number, model in enumerate(self.models):
            model.tracers.keep_in(self.position[number])

    def step(self) -> None:
        """Advance all models by one time step; see `steps.TimeSteps`."""
        activation = self.models[0].activation
        self._step.take((activation.rule, activation.increments), self._advance)
        for model in self.models:
            model.arrive(model.step_count + 1)

    def advance(self, until: int) -> None:
        """Advance all models to a step."""
        while self.models[0].step_count < until:
            self.step()

    def _advance(self) -> None:
        """Do the work of a step: relax and switch, move the tracers, respond."""
        response = self.convolution.response
        length = self.models[0].lattice.shape[0]
        stress_rate = response[self._before : self._before + length, 0]
        self._device.advance_batch(self._update(), stress_rate, self.convolution.source)
        if self._begun is not None:
            self._pass_events_on(self._begun)
        if self._moving:
            self._device.move_batch(self._movement(), response[:, 1:].swapaxes(0, 1))
        self.convolution.apply()

    def _update(self) -> BatchUpdate:
        """Return the step of all sites."""
        activation = self.models[0].activation
        return BatchUpdate(
            stress=self.stress,
            plastic_strain=self.plastic_strain,
            direction=self.direction,
            step=self._step.number,
            rule=activation.rule,
            increments=activation.increments,
            events=self._events,
            begun=self._begun,
            seeds=self._seeds,
        )

    def _movement(self) -> TracerMove:
        """Return the move of all tracers."""
        first = self.models[0]
        interpolation, time_step = first.tracers.interpolation, first.configuration.time.step
        return TracerMove(interpolation, self.position, time_step, first.lattice.shape[0], 0)

    def _pass_events_on(self, begun: NDArray[np.int64]) -> None:
        """Give the events of each model to its accumulators."""
        for model, of_model, events in zip(self.models, begun, self._events, strict=True):
            for accumulator in model.accumulators.values():
                accumulator.take(of_model, events[1:], 0, self._step.number)

    def update_response(self) -> None:
        """Compute the elastic response to the present directions."""
        self.convolution.source[:] = self.direction
        self.convolution.apply()
