"""The exact clock: Eqs. (1) and (2) event by event, without a time step.

Between two switches the stress of every site is linear in time, so the model is a piecewise
deterministic Markov process (Davis, J. R. Stat. Soc. B 46, 353, 1984).  Its activations are found
by thinning (Lewis and Shedler, 1979; see `devices.cpu.thinning`): no time is discrete, and nothing
is approximated.  Every rank follows all events of the lattice; the ranks share the transforms, by
which the stress of all sites is computed anew after every so many events (a flush).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from epmpi.config import Configuration
from epmpi.devices.thinning import LONGEST, REACHED
from epmpi.model.activation import Activation
from epmpi.model.clock import Clock
from epmpi.model.completed import CompletedEvents
from epmpi.model.exact.engine import Engine
from epmpi.model.exact.finite_engine import FiniteEngine
from epmpi.model.exact.jump_engine import JumpEngine
from epmpi.model.exact.response import on_all_ranks
from epmpi.model.exact.slab_stress import SlabStress
from epmpi.model.fields import Fields
from epmpi.model.motion import ByAccumulatedStrain
from epmpi.model.state import Accumulator, Arrays, event_types
from epmpi.model.tracers import Tracers
from epmpi.model.waiting import ExactWaitingTimes
from epmpi.spectral import Transform

PAUSES = 16  # flushes and moves of tracers after which the run may poll the wall clock
SITES_PER_MOVE = 2048  # tracers move each time that one site in so many has completed an event


class ExactClock(Clock):
    """The clock that advances from event to event.  Making one is collective.

    The rest of the program reads the model at ticks.  The path does not depend on the ticks, on the
    output at them, on restarts or on the number of ranks; temperature and strain rate change at
    ticks only.

    Parameters
    ----------
    fields : Fields
        Up to date after `complete`.
    activation : Activation
        Its rule and its drive may change between two ticks.
    tracers : Tracers
        Up to date after `place_tracers`.
    """

    def __init__(
        self,
        configuration: Configuration,
        fft: Transform,
        fields: Fields,
        activation: Activation,
        tracers: Tracers,
    ) -> None:
        self._fft = fft
        self._fields = fields
        self._activation = activation
        self._rule = activation.rule
        self._tracers = tracers
        self._tick = configuration.time.step
        self._stress = SlabStress(configuration, fft, activation.drive)
        self._motion: ByAccumulatedStrain | None = None
        if tracers.number:
            self._motion = ByAccumulatedStrain(configuration, fft, fields, tracers)
        self._move_every = max(fft.lattice.sites // SITES_PER_MOVE, 1)
        instantaneous = configuration.model.events == "instantaneous"
        self._columns = event_types(instantaneous=instantaneous)
        make: Callable[..., Engine] = JumpEngine if instantaneous else FiniteEngine
        kernels = self._stress.kernels(fft)
        self._engine = make(configuration, kernels, activation.drive, fft.device)
        if fields.threshold is not None:
            fields.threshold[:] = self._engine.threshold[fft.slab.start : fft.slab.stop]
        self._waits: list[ExactWaitingTimes] = []
        self._log: CompletedEvents | None = None
        self._share = 1 if fft.communicator.is_root else 0
        # At the last flush: whole units of tau and what is beyond them, and for how long all sites
        # together had been active.  Events begun.
        self._whole = self._beyond = self._active_time = self._begun = 0.0
        self._now = 0.0  # of the present tick, since the last flush
        self._restored = False
        self._looked: tuple[float, ...] = ()
        self._moved: tuple[float, ...] = ()

    def begin(self, step: int) -> None:
        """Start from a tick, from fields set from outside or by `restore`.  Collective."""
        if self._restored:
            self._restored = False
            self._now = self._since_flush(step)
            return
        self._whole, self._beyond = divmod(step * self._tick, 1.0)
        self._now = 0.0
        self._stress.begin(self._fields.stress, self._fields.plastic_strain, step * self._tick)
        stress = on_all_ranks(self._fft, self._fields.stress)
        active = on_all_ranks(self._fft, self._fields.active)
        self._rule, self._looked = self._activation.rule, ()
        if self._fields.threshold is not None:
            self._engine.set_threshold(on_all_ranks(self._fft, self._fields.threshold))
        self._engine.begin(stress, active, self._rule)

    def advance(self, step: int, until: int) -> int:
        """Follow all events up to tick `until`, or to one before.  Collective."""
        wanted = self._activation
        if wanted.rule != self._rule or wanted.drive != self._stress.drive:
            self._rule = wanted.rule
            self._stress.set_drive(wanted.drive, self._time(self._now))
            self._engine.set_drive(wanted.drive)
            self._flush(self._now)
        engine, pauses = self._engine, 0
        target = self._since_flush(until)
        while engine.progress["next"] <= target:
            if engine.follow(target, self._stop(), self._rule) == REACHED:
                break
            self._pause()
            pauses += 1
            target = self._since_flush(until)
            if pauses == PAUSES and (early := self._tick_after(engine.progress["now"])) < until:
                # The rest of this tick, and no more.
                until, target = early, self._since_flush(early)
        self._now = target
        return until

    def _stop(self) -> int:
        """Return after how many events, completed since the last flush, a pause is due."""
        if self._motion is None:
            return self._engine.capacity
        moves = int(self._engine.progress["completed"]) // self._move_every
        return min((moves + 1) * self._move_every, self._engine.capacity)

    def _pause(self) -> None:
        """Move the tracers, or compute the stress anew, where one is due between two ticks."""
        engine, now = self._engine, float(self._engine.progress["now"])
        completed = int(engine.progress["completed"])
        full = completed == engine.capacity
        if self._motion is not None and (full or completed % self._move_every == 0):
            self._move_tracers(now)
        if full or (now > LONGEST and not self._shift(now)):
            self._flush(now)

    def _tick_after(self, now: float) -> int:
        """Return the first tick at or after a time since the last flush."""
        tick = math.ceil(self._time(now) / self._tick)
        return tick if self._since_flush(tick) >= now else tick + 1  # by rounding

    def _since_flush(self, step: int) -> float:
        """Return the time of a tick, from the last flush on."""
        return float(step * self._tick - self._whole - self._beyond)

    def _time(self, now: float) -> float:
        """Return the time since the start of the run."""
        return self._whole + (self._beyond + now)

    def _flush(self, now: float) -> None:
        """Compute the stress of all sites by FFT, and begin a new log of events.  Collective."""
        engine = self._engine
        self._count_waits()
        self._log_ended()
        site, time = engine.yielded(now)
        self._stress.sources_at_flush[:] = sources = self._stress.sources(site, time)
        self._active_time += engine.active_time(now)
        engine.set_stress(on_all_ranks(self._fft, self._stress.stress(sources, self._time(now))))
        self._count_from(now)
        engine.restart(now, self._rule)
        self._check_alike()

    def _shift(self, now: float) -> bool:
        """Count times from now on without a flush; return whether the engine can do that."""
        self._count_waits()
        self._log_ended()
        if not self._engine.shift(now):
            return False
        self._count_from(now)
        return True

    def _count_from(self, now: float) -> None:
        """Count times from now on."""
        whole, self._beyond = divmod(self._beyond + now, 1.0)
        self._whole += whole

    def _check_alike(self) -> None:
        """Raise RuntimeError where the ranks have not followed the same events.  Collective."""
        communicator, progress = self._fft.communicator, self._engine.progress
        mine = self._whole, self._beyond, float(progress["next"]), float(progress["bound"])
        if communicator.size > 1 and communicator.any(mine != communicator.broadcast(mine)):
            raise RuntimeError(
                "the ranks have followed different events: expected processors of one kind, whose "
                "arithmetic agrees to the last bit; run all ranks on one kind of node"
            )

    def _sources(self, now: float) -> NDArray[np.float64]:
        """Return the plastic strain of this rank's slab at a time, first of (sources, rows, Ly)."""
        return self._stress.sources(*self._engine.yielded(now))

    def _happened(self) -> tuple[float, ...]:
        """Return a tuple that differs as soon as anything may have strained or changed."""
        progress = self._engine.progress
        self._count_waits()
        still = progress["active"] == 0 and self._stress.drive == 0.0
        now = 0.0 if still else self._now
        return self._whole, self._beyond, self._begun, float(progress["completed"]), now

    def complete(self) -> None:
        """Bring all fields up to the present tick, before they are read.  Collective."""
        happened = self._happened()
        if happened == self._looked:
            return
        self._looked = happened
        fields, slab = self._fields, self._fft.slab
        sources = self._sources(self._now)
        fields.plastic_strain[:] = sources[0]
        fields.stress[:] = self._stress.stress(sources, self._time(self._now))
        fields.active[:] = self._engine.active[slab.start : slab.stop]
        if fields.threshold is not None:
            fields.threshold[:] = self._engine.threshold[slab.start : slab.stop]

    def place_tracers(self) -> None:
        """Move the tracers to their positions at the present tick.  Collective."""
        if self._motion is not None and (happened := self._happened()) != self._moved:
            self._moved = happened
            self._move_tracers(self._now)

    def _move_tracers(self, now: float) -> None:
        """Move the tracers by the plastic strain since their last move.  Collective."""
        if self._motion is not None:
            self._fields.plastic_strain[:] = self._sources(now)[0]
            self._looked = ()
            self._tracers.migrate()
            self._motion.move()

    def _count_waits(self) -> None:
        """Give the activations so far to the accumulators."""
        begun, waited = self._engine.read_waits()
        self._begun += len(begun)
        if self._waits and len(begun):
            for waits in self._waits:
                waits.add(self._time(0.0) + begun, waited)

    def waiting_times(self, first_step: int) -> ExactWaitingTimes:
        """Return an accumulator of the waits between events of a site, for any tick."""
        is_root = self._fft.communicator.is_root
        return ExactWaitingTimes(self._tick, first_step, is_root=is_root)

    def accumulate(self, accumulator: Accumulator) -> None:
        """Give all waits from now on to an accumulator of `waiting_times`."""
        if not isinstance(accumulator, ExactWaitingTimes):
            raise TypeError(f"{type(accumulator).__name__} counts steps: the exact clock has none")
        self._count_waits()
        self._waits.append(accumulator)

    def log_events(self, first_step: int) -> CompletedEvents:
        """Return the keeper of the events that begin after a tick, when they have ended."""
        self._log = CompletedEvents(self._tick, first_step, self._columns, self._log_ended)
        return self._log

    def _log_ended(self) -> None:
        """Give the events that have ended so far to their keeper."""
        if self._log is not None:
            self._log.add(self._whole, self._beyond, self._engine.read_ended())

    def observables(self) -> dict[str, float]:
        """Return the time that all sites together have been active, since the start of the run."""
        return {"active_time": self._active_time + self._engine.active_time(self._now)}

    def fields(self) -> Arrays:
        """Return the fields of the present tick, and their sources at the last flush."""
        of_motion = self._motion.fields() if self._motion else {}
        return {**self._fields.by_name(), **self._stress.fields(), **of_motion}

    def counts(self) -> Arrays:
        """Return the number of events that have begun, on the root."""
        return {"events": np.asarray(self._share * int(self._begun), np.int64)}

    def root(self) -> Arrays:
        """Return the arrays that are the same on every rank: times, and those of the engine."""
        times = (
            self._whole, self._beyond, self._active_time, self._begun,
            self._rule.temperature, self._stress.drive, self._stress.since,
        )  # fmt: skip
        return {"times": np.array(times), **self._engine.arrays()}

    def restore(self, fields: Arrays, counts: Arrays, root: Arrays) -> None:
        """Restore fields, counts and the arrays of the root.  Collective."""
        for name, field in self.fields().items():
            field[:] = fields[name]
        if self._fields.threshold is not None:
            self._engine.set_threshold(on_all_ranks(self._fft, self._fields.threshold))
        times = [float(number) for number in root["times"]]
        self._whole, self._beyond, self._active_time, self._begun = times[:4]
        self._rule = self._rule._replace(temperature=times[4])
        self._stress.drive, self._stress.since = times[5:]
        self._engine.set_drive(times[5])
        self._engine.restore(root)
        self._restored = True
