"""A batch: models of equal lattices on one device that take their steps together.

Their fields are stored side by side, ``(x, lattice, y)``, and each pass over memory takes all of
them, so that lattices too small for a GPU fill it together.  The state of each model is a view of
its part, read and written as usual; on a CPU it is bitwise the same as if the model had taken its
steps alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from epmpi.config import ConfigError
from epmpi.devices import BatchUpdate, TracerMove
from epmpi.model.elasticity import elastic_kernels, flow_kernels
from epmpi.model.model import Model
from epmpi.model.motion import ByAccumulatedStrain, in_single_precision
from epmpi.model.steps import TimeSteps
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
        self._every = configuration.tracers.every
        moving = first.tracers.number > 0
        with_flow = moving and self._every == 1
        kernels, imaginary, halo = elastic_kernels(configuration, fft, with_flow=with_flow)
        self.convolution = BatchConvolution(fft, len(self.models), kernels, imaginary, halo)
        self._before = halo[0]
        self._seeds = device.asarray(
            np.array([model.configuration.run.seed for model in self.models], np.uint64)
        )
        self._join_fields()
        self._begun: NDArray[np.int64] | None = None
        if first.accumulators:
            self._begun = device.empty((len(self.models), first.lattice.sites), np.int64)
        self._move: Callable[[], None] | None = None
        if moving:
            self._join_tracers()
            self._move = self._move_with_velocity if with_flow else self._accumulated(fft)
        self._step = device.repeated_step(capture=True)
        self._step.begin_at(first.step_count)
        self.convolution.source[:] = self.active
        self.convolution.apply()

    def _join_fields(self) -> None:
        """Put the fields of all models side by side; the models' own become views."""
        shape, dtype = self.models[0].slab.shape, self.models[0].stress.dtype
        together = shape[0], len(self.models), shape[1]
        self.stress = self._device.side_by_side(together, dtype)
        self.plastic_strain = self._device.side_by_side(together, np.float64)
        self.active = self._device.side_by_side(together, np.int8)
        self._events = self._device.zeros((len(self.models), 2), np.int64)
        for number, model in enumerate(self.models):
            model.fields.keep_in(
                self.stress[:, number],
                self.plastic_strain[:, number],
                self.active[:, number],
                self._events[number],
            )

    def _join_tracers(self) -> None:
        """Put the tracers of all models one after the other; the models' own become views."""
        tracers = self.models[0].tracers
        self.position = self._device.empty((len(self.models), tracers.number, 2), np.float64)
        for number, model in enumerate(self.models):
            model.tracers.keep_in(self.position[number])

    def _accumulated(self, fft: SlabFFT) -> Callable[[], None]:
        """Return a function that moves all tracers by the strain since their last move."""
        configuration, (rows, width) = self.models[0].configuration, fft.slab.shape
        single = in_single_precision(configuration, fft)
        assert isinstance(single, SlabFFT)
        number = len(self.models)
        kernels = flow_kernels(single, configuration.tracers.interpolation)
        flow = BatchConvolution(single, number, *kernels)
        before = self._device.side_by_side((rows, number, width), np.float64)
        for n, model in enumerate(self.models):
            clock = model.clock
            assert isinstance(clock, TimeSteps) and isinstance(clock.motion, ByAccumulatedStrain)
            clock.motion.keep_in(before[:, n])

        def move() -> None:
            self._device.subtract(self.plastic_strain, before, flow.source)
            before[:] = self.plastic_strain
            flow.apply()
            self._device.move_batch(self._movement(1.0), flow.response.swapaxes(0, 1))

        return move

    def step(self) -> None:
        """Advance all models by one time step; see `steps.TimeSteps`."""
        activation = self.models[0].activation
        move = self._move if (self.models[0].step_count + 1) % self._every == 0 else None
        key = activation.rule, activation.increments, move is not None
        self._step.take(key, lambda: self._advance(move))
        for model in self.models:
            model.step_count += 1
            assert isinstance(model.clock, TimeSteps)
            model.clock.behind = self._move is not None and move is None

    def advance(self, until: int) -> None:
        """Advance all models to a step."""
        while self.models[0].step_count < until:
            self.step()

    def _move_with_velocity(self) -> None:
        """Move the tracers of all models with the velocity of the medium."""
        flow = self.convolution.response[:, 1:].swapaxes(0, 1)
        time_step = self.models[0].configuration.time.step
        self._device.move_batch(self._movement(time_step), flow)

    def _advance(self, move: Callable[[], None] | None) -> None:
        """Do the work of a step: relax and switch, move the tracers, respond."""
        response = self.convolution.response
        length = self.models[0].lattice.shape[0]
        stress_rate = response[self._before : self._before + length, 0]
        self._device.advance_batch(self._update(), stress_rate, self.convolution.source)
        if self._begun is not None:
            self._pass_events_on(self._begun)
        if move is not None:
            move()
        self.convolution.apply()

    def _update(self) -> BatchUpdate:
        """Return the step of all sites."""
        activation = self.models[0].activation
        return BatchUpdate(
            stress=self.stress,
            plastic_strain=self.plastic_strain,
            active=self.active,
            step=self._step.number,
            rule=activation.rule,
            increments=activation.increments,
            events=self._events,
            begun=self._begun,
            seeds=self._seeds,
        )

    def _movement(self, time_step: float) -> TracerMove:
        """Return the move of all tracers along a flow that is multiplied by `time_step`."""
        first = self.models[0]
        interpolation = first.tracers.interpolation
        return TracerMove(interpolation, self.position, time_step, first.lattice.shape[0], 0)

    def _pass_events_on(self, begun: NDArray[np.int64]) -> None:
        """Give the events of each model to its accumulators."""
        for model, of_model, events in zip(self.models, begun, self._events, strict=True):
            for accumulator in model.accumulators.values():
                accumulator.take(of_model, events[1:], 0, self._step.number)
