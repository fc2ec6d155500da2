"""The elastoplastic model: its state, and one step of it on one screen.

Ferrero, Martens and Barrat, PRL 113, 248301 (2014).  Per step: stress and plastic strain advance
with the rates of the sites that are active (Eq. 1), tracers with the velocity that goes with them,
then sites switch (Eq. 2), and the elastic response to the new activity is computed.

The step alternates the exact flow at frozen activity with the exact switching at frozen stress.
That is Strang's splitting up to half a step at the two ends of a run, so that stationary averages
have an error of second order in the step.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from epmpi.activation import Activation
from epmpi.config import Configuration, check_ranks
from epmpi.devices import Device
from epmpi.elasticity import ElasticResponse, accumulated_flow
from epmpi.initial import gaussian_stress, stationary_direction
from epmpi.lattice import Lattice
from epmpi.parallel import Communicator
from epmpi.placement import place
from epmpi.spectral import Transform, make_transform
from epmpi.state import Accumulator, State
from epmpi.tracers import Tracers


class Model:
    """State of the model on this rank's slab.  Making one is collective.

    Parameters
    ----------
    configuration : Configuration
    communicator : Communicator
        Default: all ranks that were launched together.
    device : Device
        Default: the one that the configuration names.

    Attributes
    ----------
    stress : float array, shape (rows, Ly)
        sigma, in the precision of the run.
    plastic_strain : float64 array, shape (rows, Ly)
    direction : int8 array, shape (rows, Ly)
        n s: 0 inactive, +1 or -1 active.
    tracers : Tracers
    accumulators : dict
        What is gathered event by event, by name; part of the state.
    number : uint64 array, shape (1,)
        `step_count` on the device, which need not be waited for.
    events : int64 array, shape (2,)
        On the device, the events that began on this rank: in all; in the last block of rows.
    step_count : int
        Steps since the start of the run, warm-up included.
    """

    def __init__(
        self,
        configuration: Configuration,
        communicator: Communicator | None = None,
        device: Device | None = None,
    ) -> None:
        self.configuration = configuration
        self.communicator = communicator or Communicator.world()
        check_ranks(configuration, self.communicator.size)
        self.device = device or place(configuration.run.device, self.communicator)
        self.lattice = Lattice(configuration.lattice.shape)
        dtype = np.float64 if configuration.run.precision == "double" else np.float32
        run = configuration.run
        self.fft: Transform = make_transform(
            run.fft, self.lattice, self.communicator, self.device, dtype, run.wire
        )
        self.slab = self.fft.slab
        shape = self.slab.shape
        self.stress = self.device.zeros(shape, dtype)
        self.plastic_strain = self.device.zeros(shape, np.float64)
        self.direction = self.device.zeros(shape, np.int8)
        self.step_count = 0
        self.number = self.device.counter(0)
        self.events = self.device.zeros((2,), np.int64)
        self._arrangement = 0  # changes with the arrays that a step uses
        self._repeat = self.device.repeater()
        self.accumulators: dict[str, Accumulator] = {}
        self._begun: NDArray[np.int64] | None = None
        self.activation = Activation(configuration, self.slab, self.device)
        self.tracers = Tracers(configuration, self.fft.slabs, self.communicator, self.device)
        self._every = configuration.tracers.every
        self._moving = self.tracers.number > 0
        self.elasticity = ElasticResponse(
            configuration, self.fft, with_flow=self._moving and self._every == 1
        )
        if self._moving:
            self._prepare_flow()
        self._set_initial_state()

    def _prepare_flow(self) -> None:
        """Make room for the flow; where it is accumulated, make its own convolution too."""
        convolution, fields = self.elasticity.convolution, self.elasticity.flow_fields
        if self._every > 1:
            convolution = self._accumulated = accumulated_flow(self.configuration, self.fft)
            fields = range(1 if self.tracers.interpolation == "stream" else 2)
            self._strain_at_move = self.device.zeros(self.slab.shape, np.float64)
        self._flow_fields = fields
        convolution.prepare_flow(len(fields))

    def _set_initial_state(self) -> None:
        """Set the stress and the activity that the configuration asks for.  Collective."""
        initial = self.configuration.initial
        if initial.state == "gaussian":
            self.stress[:] = gaussian_stress(self.configuration, self.fft)
        if self.configuration.model.activation == "random":
            drawn = stationary_direction(self.configuration, self.slab, self.device)
            self.direction[:] = self.device.asarray(drawn)
        self.update_response()

    def set_fields(self, stress: NDArray, direction: NDArray[np.int8]) -> None:
        """Take over the stress and the directions of this rank's slab, (rows, Ly).  Collective."""
        self.stress[:] = self.device.asarray(stress)
        self.direction[:] = self.device.asarray(direction)
        self.update_response()

    def gather(self, name: str, accumulator: Accumulator) -> None:
        """Give every event from now on to an accumulator, which becomes part of the state."""
        self.accumulators[name] = accumulator
        self._arrangement += 1
        if self._begun is None:
            self._begun = self.device.empty((self.stress.size,), np.int64)

    def pass_events_on(self, begin: int, begun: NDArray[np.int64] | None) -> None:
        """Give the events that a step began in the rows from `begin` on to the accumulators."""
        if begun is not None:
            first_site = begin * self.lattice.shape[1]
            for accumulator in self.accumulators.values():
                accumulator.take(begun, self.events[1:], first_site, self.number)

    def _total_events(self) -> int:
        """Return the number of events that began since the start, on all ranks.  Collective."""
        return self.communicator.sum(int(self.device.to_host(self.events)[0]))

    def state(self) -> State:
        """Return all that the future depends on, on the host.  Collective.

        The arrays are the model's own where the device has them on the host.
        """
        counts = {"events": np.asarray(self._total_events(), np.int64)}
        for name, accumulator in self.accumulators.items():
            for key, count in accumulator.counts().items():
                counts[f"{name}/{key}"] = self.communicator.sum(count)
        return self._state(counts)

    def fault(self) -> str | None:
        """Return where a number of this rank is not finite, or None."""
        numbers = [self.stress, self.plastic_strain, self.tracers.position]
        if all(self.device.is_finite(array) for array in numbers):
            return None
        return self._state({}).fault(self.slab.start)

    def _state(self, counts: dict[str, NDArray[np.int64]]) -> State:
        to_host, tracers = self.device.to_host, self.tracers
        fields = {name: to_host(field) for name, field in self._fields().items()}
        for name, accumulator in self.accumulators.items():
            fields |= {f"{name}/{key}": field for key, field in accumulator.fields().items()}
        identity, position = to_host(tracers.identity), to_host(tracers.position)
        return State(self.step_count, fields, counts, identity, position)

    def restore(self, state: State) -> None:
        """Go on from a state; its tracers may lie anywhere, each on one rank.  Collective."""
        for name, field in self._fields().items():
            field[:] = self.device.asarray(state.fields[name])
        mine = 1 if self.communicator.is_root else 0
        self.events[:1] = mine * int(state.counts["events"])
        for name, accumulator in self.accumulators.items():
            accumulator.restore(
                {key: state.fields[f"{name}/{key}"] for key in accumulator.fields()},
                {key: mine * state.counts[f"{name}/{key}"] for key in accumulator.counts()},
            )
        self.step_count = state.step_count
        self.number[:] = state.step_count
        self._arrangement += 1
        self.tracers.set(state.identity, state.position)
        self.update_response()

    def _fields(self) -> dict[str, NDArray]:
        """Return the arrays by site that are part of the state, on the device."""
        fields = {
            "stress": self.stress,
            "plastic_strain": self.plastic_strain,
            "direction": self.direction,
        }
        if self._moving and self._every > 1:
            fields["strain_at_move"] = self._strain_at_move
        return fields

    @property
    def time(self) -> float:
        """Time since the start of the run, in units of tau."""
        return self.step_count * self.configuration.time.step

    def step(self) -> None:
        """Advance by one time step.  Collective.

        1. tracers move with the velocity of the medium, for the sites that are active: from the
           last response;
        2. block by block: stress and plastic strain advance (Eq. 1), sites switch (Eq. 2), and the
           source of the next response goes through the row transforms;
        3. columns and exchange: the response to the new activity.
        """
        moves = self._moving and (self.step_count + 1) % self._every == 0
        if self.fft.only_queues:
            alike = self._arrangement, self.activation.parameters, moves
            self._repeat(alike, lambda: self._advance(moves))
        else:
            self._advance(moves)
        self.step_count += 1
        if moves:
            self.tracers.settle()

    def _advance(self, moves: bool) -> None:
        """Do the work of a step, which is the same each time but for the numbers on the device."""
        response = self.elasticity.convolution
        if moves and self._every == 1:
            move = self.tracers.movement(self.configuration.time.step)
            response.move_tracers(self._flow_fields, move)
        update = self.activation.update(
            self.stress,
            self.plastic_strain,
            self.direction,
            self.number,
            self.events,
            self._begun,
        )
        for begin in response.pass_rows(self.elasticity.STRESS_RATE, update):
            self.pass_events_on(begin, self._begun)
        self.number += 1
        if moves and self._every > 1:
            self._move_by_accumulated_strain()
        response.apply()

    def _move_by_accumulated_strain(self) -> None:
        """Move the tracers by the displacement of the plastic strain since their last move."""
        response = self._accumulated
        for begin, end in response.row_blocks:
            self.device.subtract(
                self.plastic_strain[begin:end],
                self._strain_at_move[begin:end],
                response.source_block(begin, end),
            )
            response.set_source(begin, end)
        self._strain_at_move[:] = self.plastic_strain
        response.apply()
        response.move_tracers(self._flow_fields, self.tracers.movement(1.0))

    def update_response(self) -> None:
        """Compute the elastic response to the present directions.  Collective."""
        response = self.elasticity.convolution
        for begin, end in response.row_blocks:
            response.source_block(begin, end)[:] = self.direction[begin:end]
            response.set_source(begin, end)
        response.apply()

    def observables(self) -> dict[str, float]:
        """Return means over the lattice; complete on the root, the same on any ranks.  Collective.

        Returns
        -------
        dict
            activity (fraction of active sites), stress_mean, stress_variance (over sites),
            plastic_strain_mean, events (activations since the start); empty on the other ranks.
        """
        events = self._total_events()
        rows = self.communicator.gather_rows(
            self.device.row_sums(self.stress, self.plastic_strain, self.direction)
        )
        if rows is None:
            return {}
        # Exactly rounded sums: neither the ranks nor the order of the rows matter.
        stress, squares, strain, active = (math.fsum(column) for column in rows.T)
        sites = self.lattice.sites
        return {
            "activity": active / sites,
            "stress_mean": stress / sites,
            "stress_variance": squares / sites - (stress / sites) ** 2,
            "plastic_strain_mean": strain / sites,
            "events": events,
        }
