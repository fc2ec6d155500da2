"""Time stepping: Eqs. (1) and (2) in steps of constant length.

Ferrero, Martens and Barrat, PRL 113, 248301 (2014).  A step alternates the exact flow at frozen
activity with the exact switching at frozen stress.  That is Strang's splitting up to half a step at
the two ends of a run, so that stationary averages have an error of second order in the step.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from epmpi.config import Configuration
from epmpi.model.activation import Activation
from epmpi.model.clock import Clock
from epmpi.model.elasticity import ElasticResponse
from epmpi.model.fields import Fields
from epmpi.model.motion import ByAccumulatedStrain, Motion, WithVelocity
from epmpi.model.passes import passes_over
from epmpi.model.state import Accumulator
from epmpi.model.tracers import Tracers
from epmpi.model.waiting import WaitingTimes
from epmpi.spectral import Transform


class TimeSteps(Clock):
    """The clock that advances every site in every step.  Making one is collective.

    Parameters
    ----------
    configuration : Configuration
    fft : Transform
    fields : Fields
    activation : Activation
        Its rule and its drive may change between two steps.
    tracers : Tracers

    Attributes
    ----------
    elasticity : ElasticResponse
        To the n s of the last step.
    motion : Motion or None
        Of the tracers; None without any.
    behind : bool
        Whether tracers have to move before they are read.
    """

    def __init__(
        self,
        configuration: Configuration,
        fft: Transform,
        fields: Fields,
        activation: Activation,
        tracers: Tracers,
    ) -> None:
        self._device = fft.device
        self._width = fft.lattice.shape[1]
        self._fields = fields
        self._activation = activation
        self._tracers = tracers
        self._every = every = configuration.tracers.every
        moving = tracers.number > 0
        self.elasticity = ElasticResponse(configuration, fft, with_flow=moving and every == 1)
        self._response = self.elasticity.convolution
        self._passes = passes_over(self._response, self.elasticity.flow_fields)
        self.motion: Motion | None = None
        if moving and every == 1:
            self.motion = WithVelocity(tracers, self._passes, configuration.time.step)
        elif moving:
            self.motion = ByAccumulatedStrain(configuration, fft, fields, tracers)
        self.behind = False
        self._accumulators: list[Accumulator] = []
        self._begun: NDArray[np.int64] | None = None
        self._step = fft.device.repeated_step(capture=fft.only_queues)

    def begin(self, step: int) -> None:
        """Start from a step, with the elastic response to the present n s.  Collective."""
        self._step.begin_at(step)
        self.behind = self.motion is not None and self._every > 1
        for begin, end in self._response.row_blocks:
            self._response.source_block(begin, end)[:] = self._fields.active[begin:end]
            self._response.set_source(begin, end)
        self._response.apply()

    def advance(self, step: int, until: int) -> int:
        """Advance step by step.  Collective."""
        for number in range(step, until):
            self._take_step(number)
        return until

    def _take_step(self, step: int) -> None:
        """Advance by one time step.  Collective."""
        motion = self.motion if (step + 1) % self._every == 0 else None
        if motion is not None:
            self._tracers.migrate()
        moving = motion is not None, self._tracers.replaced
        key = self._activation.rule, self._activation.increments, moving
        self._step.take(key, lambda: self._advance(motion))
        self.behind = motion is None and self.motion is not None

    def _advance(self, motion: Motion | None) -> None:
        """Do the work of a step.

        1. Stress and plastic strain advance with the rates of the active sites (Eq. 1), and the
           sites switch (Eq. 2);
        2. tracers that are due move with the medium: by the plastic strain since their last move,
           or with the velocity, since the response is still that to the sites that were active;
        3. the elastic response to the new activity is computed.
        """
        self._relax_and_switch()
        if motion is not None:
            motion.move()
        self._response.apply()

    def _relax_and_switch(self) -> None:
        """Advance all sites, and give the events that begin to the accumulators."""
        fields, number = self._fields, self._step.number
        update = self._activation.update(
            fields.stress, fields.plastic_strain, fields.active, number, fields.events,
            self._begun,
        )  # fmt: skip
        for begin in self._passes.advance_sites(self.elasticity.STRESS_RATE, update):
            if self._begun is not None:
                for accumulator in self._accumulators:
                    accumulator.take(self._begun, fields.events[1:], begin * self._width, number)

    def complete(self) -> None:
        """Do nothing: each step leaves all fields at its end."""

    def place_tracers(self) -> None:
        """Move the tracers, if they have not moved in the last step.  Collective."""
        if self.behind and self.motion is not None:
            self.behind = False
            self._tracers.migrate()
            self.motion.move()

    def waiting_times(self, first_step: int) -> WaitingTimes:
        """Return an accumulator of the waits between events of a site, in whole steps."""
        return WaitingTimes(self._fields.stress.shape, first_step, self._device)

    def accumulate(self, accumulator: Accumulator) -> None:
        """Give every event from now on to an accumulator."""
        self._accumulators.append(accumulator)
        if self._begun is None:
            self._begun = self._device.empty((self._fields.stress.size,), np.int64)
        self._step.forget()

    def fields(self) -> Mapping[str, NDArray]:
        """Return stress, plastic strain, n s, and the strain at the last move of tracers."""
        return self._fields.by_name() | (self.motion.fields() if self.motion else {})

    def counts(self) -> Mapping[str, NDArray[np.int64]]:
        """Return the number of events that began on this rank."""
        return {"events": np.asarray(self._device.to_host(self._fields.events)[0])}

    def restore(
        self,
        fields: Mapping[str, NDArray],
        counts: Mapping[str, NDArray[np.int64]],
        root: Mapping[str, NDArray],
    ) -> None:
        """Restore fields and counts; `begin` must follow.  There are no arrays of the root."""
        for name, field in self.fields().items():
            field[:] = self._device.asarray(fields[name])
        self._fields.events[:1] = int(counts["events"])
