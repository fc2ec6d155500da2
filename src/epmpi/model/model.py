"""The elastoplastic model: its state, its observables, and the clock that advances it.

Ferrero, Martens and Barrat, PRL 113, 248301 (2014).  Eq. (1) is in `elasticity`, Eq. (2) in
`activation` and `physics.rules`, the tracers in `tracers` and `motion`; `steps` puts them together.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from epmpi.config import Configuration, check_ranks
from epmpi.config.sealed import Sealed
from epmpi.devices import Device
from epmpi.model.activation import Activation
from epmpi.model.clock import Clock
from epmpi.model.exact import ExactClock
from epmpi.model.fields import Fields
from epmpi.model.imposed import Imposed
from epmpi.model.initial import gaussian_stress, stationary_direction
from epmpi.model.state import Accumulator, Part, State
from epmpi.model.steps import TimeSteps
from epmpi.model.tracers import Tracers
from epmpi.parallel import Communicator
from epmpi.parallel.placement import place
from epmpi.physics.lattice import Lattice
from epmpi.spectral import Transform, make_transform

IMPOSED = "imposed"  # name of its record
CLOCKS: dict[str, Callable[..., Clock]] = {"steps": TimeSteps, "exact": ExactClock}


class Model(Sealed):
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
    fields : Fields
        Stress, plastic strain, n s and thresholds of the sites, and the events that began.
    tracers : Tracers
    activation : Activation
        The rule.
    clock : Clock
        Advances fields and tracers.
    accumulators : dict
        Statistics gathered event by event, by name; part of the state.
    records : dict
        Arrays of the root alone, by name; part of the state.
    step_count : int
        Steps since the start of the run, warm-up included.
    paused : bool
        Whether the last `advance` came back early.
    """

    def __init__(
        self,
        configuration: Configuration,
        communicator: Communicator | None = None,
        device: Device | None = None,
    ) -> None:
        self.configuration = configuration
        self.communicator = communicator or Communicator.world()
        check_ranks(configuration.lattice, self.communicator.size)
        self.device = device or place(configuration.device, self.communicator)
        self.lattice = Lattice(configuration.lattice.shape)
        run = configuration.run
        dtype = np.float64 if run.precision == "double" else np.float32
        self.fft: Transform = make_transform(
            run.fft, self.lattice, self.communicator, self.device, dtype, run.wire
        )
        self.slab = self.fft.slab
        thresholds = configuration.model.thresholds != "uniform"
        self.fields = Fields(self.slab.shape, dtype, self.device, thresholds=thresholds)
        self.tracers = Tracers(configuration, self.fft.slabs, self.communicator, self.device)
        self.activation = Activation(configuration, self.slab)
        self._imposed = Imposed(configuration, self.activation)
        self.clock = CLOCKS[configuration.time.clock](
            configuration, self.fft, self.fields, self.activation, self.tracers
        )
        self.accumulators: dict[str, Accumulator] = {}
        self.records: dict[str, Part] = {}
        self.step_count, self.paused = 0, False
        self._set_initial_state()
        self.seal()

    def _set_initial_state(self) -> None:
        """Set the initial stress and activity of the configuration.  Collective."""
        initial = self.configuration.initial
        if initial.state == "gaussian":
            self.stress[:] = gaussian_stress(self.configuration, self.fft)
        if self.configuration.model.activation == "random":
            drawn = stationary_direction(self.configuration, self.slab, self.device)
            self.active[:] = self.device.asarray(drawn)
        self.update_response()

    @property
    def stress(self) -> NDArray:
        """The local stress sigma, in the precision of the run; shape (rows, Ly)."""
        return self.fields.stress

    @property
    def plastic_strain(self) -> NDArray[np.float64]:
        """The plastic strain; shape (rows, Ly)."""
        return self.fields.plastic_strain

    @property
    def active(self) -> NDArray[np.int8]:
        """The product n s: 0 inactive, +1 or -1 active; shape (rows, Ly)."""
        return self.fields.active

    @property
    def temperature(self) -> float:
        """T of the next step, until it is set again; set it on all ranks."""
        return self._imposed.temperature

    @temperature.setter
    def temperature(self, temperature: float) -> None:
        self._imposed.set_temperature(temperature)
        self.keep_imposed()

    @property
    def strain_rate(self) -> float:
        """The strain rate of the next step, until it is set again; set it on all ranks."""
        return self._imposed.strain_rate

    @strain_rate.setter
    def strain_rate(self, rate: float) -> None:
        self._imposed.set_strain_rate(rate, self.time)
        self.keep_imposed()

    @property
    def is_imposed(self) -> bool:
        """Whether temperature and strain rate, which may change, are part of the state."""
        return IMPOSED in self.records

    def keep_imposed(self) -> None:
        """Make temperature and strain rate, which may change, observables and part of the state."""
        self.keep(IMPOSED, self._imposed)

    @property
    def time(self) -> float:
        """Time since the start of the run, in units of tau."""
        return self.step_count * self.configuration.time.step

    def step(self) -> None:
        """Advance by one tick.  Collective."""
        target = self.step_count + 1
        while self.step_count < target:
            self.advance(target)

    def advance(self, step: int) -> None:
        """Advance to a tick, or after many events to an earlier one.  Collective."""
        self.step_count = self.clock.advance(self.step_count, step)
        self.paused = self.step_count < step

    def set_fields(
        self,
        stress: NDArray,
        active: NDArray[np.int8],
        threshold: NDArray[np.float64] | None = None,
    ) -> None:
        """Set the stress and n s of this rank's slab, (rows, Ly).  Collective.

        Its thresholds too, where they are given and each site has one of its own.
        """
        self.stress[:] = self.device.asarray(stress)
        self.active[:] = self.device.asarray(active)
        if threshold is not None and self.fields.threshold is not None:
            self.fields.threshold[:] = self.device.asarray(threshold)
        self.update_response()

    def update_response(self) -> None:
        """Compute the elastic response to fields that were changed from outside.  Collective."""
        self.clock.begin(self.step_count)

    def accumulate(self, name: str, accumulator: Accumulator) -> None:
        """Give every event from now on to an accumulator, which becomes part of the state."""
        self.accumulators[name] = accumulator
        self.clock.accumulate(accumulator)

    def keep(self, name: str, record: Part) -> None:
        """Make a record of the root part of the state."""
        self.records[name] = record

    def state(self) -> State:
        """Return the state, on the host.  Collective.

        The arrays are views of the model's own if the device has them on the host.
        """
        self.clock.complete()
        counts = {
            name: np.asarray(self.communicator.sum(count))
            for name, count in self._named("counts").items()
        }
        root = self._named("root")
        return self._state(counts, root if self.communicator.is_root else {})

    def row_sums(self) -> NDArray[np.float64]:
        """Return the sums over each row of this rank of sigma, sigma^2, eps_pl and n.  Collective.

        Returns
        -------
        float64 array, shape (rows, 4)
            On the host; in yield stresses, their squares, and numbers.
        """
        self.clock.complete()
        return self.device.row_sums(self.stress, self.plastic_strain, self.active)

    def fault(self, sums: NDArray[np.float64] | None = None) -> str | None:
        """Return where a number of this rank is not finite, or None.  Collective.

        Parameters
        ----------
        sums : float64 array, shape (rows, 4), optional
            Of `row_sums` in this state: finite, as far as no square overflows, where all sites are.
        """
        sums = self.row_sums() if sums is None else sums
        if np.isfinite(sums).all() and self.device.is_finite(self.tracers.position):
            return None
        return self._state({}, {}).fault(self.slab.start)

    def restore(self, state: State) -> None:
        """Restore a state; each of its tracers may be on any rank.  Collective."""
        root, mine = self.communicator.broadcast(state.root), int(self.communicator.is_root)
        for prefix, part in self._parts().items():
            part.restore(
                {key: state.fields[f"{prefix}{key}"] for key in part.fields()},
                {key: mine * state.counts[f"{prefix}{key}"] for key in part.counts()},
                {key: root[f"{prefix}{key}"] for key in part.root()},
            )
        self.tracers.set(state.identity, state.position)
        self.step_count = state.step_count
        self.update_response()

    def _parts(self) -> dict[str, Part]:
        """Return the parts of the state, by the prefix of their names in it."""
        others = self.accumulators | self.records
        return {"": self.clock} | {f"{name}/": part for name, part in others.items()}

    def _named(self, kind: str) -> dict[str, NDArray]:
        """Return the fields, counts or root arrays of all parts, by their names in the state."""
        return {
            f"{prefix}{key}": array
            for prefix, part in self._parts().items()
            for key, array in getattr(part, kind)().items()
        }

    def _state(self, counts: dict[str, NDArray[np.int64]], root: dict[str, NDArray]) -> State:
        to_host, tracers = self.device.to_host, self.tracers
        fields = {name: to_host(field) for name, field in self._named("fields").items()}
        return State(
            self.step_count, fields, counts,
            to_host(tracers.identity), to_host(tracers.position), root,
        )  # fmt: skip

    def observables(self, sums: NDArray[np.float64] | None = None) -> dict[str, float]:
        """Return means over the lattice; complete on the root, the same on any ranks.  Collective.

        Parameters
        ----------
        sums : float64 array, shape (rows, 4), optional
            Of `row_sums` in this state.

        Returns
        -------
        dict
            activity (fraction of active sites), stress_mean, stress_variance (over sites),
            plastic_strain_mean, events (activations since the start), those that the clock adds;
            macroscopic_strain if it changes; temperature and strain_rate if they may change.
            Empty on the other ranks.
        """
        sums = self.row_sums() if sums is None else sums
        events = int(self.communicator.sum(self.clock.counts()["events"]))
        rows = self.communicator.gather_rows(sums)
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
            **self.clock.observables(),
            **self._macroscopic_strain(strain / sites),
            **(self._imposed.observables() if self.is_imposed else {}),
        }

    def _macroscopic_strain(self, plastic_strain_mean: float) -> dict[str, float]:
        """Return the strain gamma of the lattice since the start: imposed, or at constant stress.

        The mean stress changes by ``mu (gamma - 2 plastic_strain_mean)``.
        """
        if self.configuration.propagator.macroscopic == "stress":
            return {"macroscopic_strain": 2.0 * plastic_strain_mean}
        moves = self.strain_rate != 0.0 or self.is_imposed
        return {"macroscopic_strain": self._imposed.strain(self.time)} if moves else {}
