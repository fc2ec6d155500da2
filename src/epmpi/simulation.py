"""A run from its start to its end: the clock, its warm-up and measurement, and when it stops."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Any

from epmpi.calls import Calls, Moment
from epmpi.config import (
    ConfigError,
    Configuration,
    changed,
    expected_run,
    is_ensemble,
    stored_configuration,
)
from epmpi.devices import Device
from epmpi.model import IMPOSED, Model
from epmpi.output import Checkpoint, RunStore, read_final_fields
from epmpi.output.provenance import now
from epmpi.parallel import Communicator
from epmpi.placement import check_memory, place
from epmpi.planning import array_bytes
from epmpi.progress import speed_of
from epmpi.recorder import Recorder
from epmpi.sealed import Sealed
from epmpi.stopping import INTERRUPT, Decision, Interrupted, Pace
from epmpi.surroundings import Surroundings, alone
from epmpi.warmup import Warmup
from epmpi.watchdog import Watchdog

NAMED_STATES = ("zero", "gaussian")  # of initial.state; anything else is the path of a run


class Simulation(Sealed):
    """A model, its warm-up and its measurement.

    Parameters
    ----------
    configuration : Configuration
        Of one run, not of an ensemble.
    communicator : Communicator
        Default: all ranks that were launched together.
    checkpoint : Checkpoint
        That the run goes on from; see `resume`.
    device : Device
        Default: the one that the configuration names.

    Attributes
    ----------
    model : Model
    measured_steps : int
    directory : Path
        RUN, once it runs.
    stopped : str
        Why the last `run` stopped before its end, with a checkpoint; empty if it did not.
    progressed : bool
        Whether the last `run` went on after it had looked at the clock first, after one step.

    Raises
    ------
    ConfigError
        On all ranks, if the configuration is of an ensemble, or cannot be run on these ranks and
        devices, or its initial state cannot be read.
    """

    def __init__(
        self,
        configuration: Configuration,
        communicator: Communicator | None = None,
        checkpoint: Checkpoint | None = None,
        device: Device | None = None,
    ) -> None:
        if configuration.run.replicas > 1:
            raise ConfigError(
                f"run.replicas = {configuration.run.replicas}: a Simulation is a single run; use "
                "Ensemble, or set run.replicas = 1"
            )
        self.configuration = configuration
        self.communicator = communicator or Communicator.world()
        if device is None:
            device = place(configuration.device, self.communicator)
            needed = array_bytes(configuration, self.communicator.size, device)
            check_memory(needed, device, self.communicator)
        self.model = model = Model(configuration, self.communicator, device)
        self._warmup = Warmup(configuration, model, self.communicator)
        self.measured_steps = configuration.steps(configuration.time.duration)
        self.directory = Path()
        self.stopped = ""
        self.progressed = False
        self._has_run = False
        self._recorder = Recorder(configuration, model, self.communicator, self.warmup_steps)
        self._checkpoint = checkpoint
        if checkpoint is not None:
            if any(name.startswith(f"root/{IMPOSED}/") for name in checkpoint.header.checksums):
                model.keep_imposed()
            like, number = model.state(), configuration.tracers.number
            model.restore(checkpoint.state(like, number, model.slab, self.communicator))
            self._recorder.saved_step = model.step_count
            self._warmup.restore()
            self._recorder.begin_measurement(self.warmup_steps)
        elif configuration.initial.state not in NAMED_STATES:
            path = configuration.initial.state
            model.set_fields(*read_final_fields(path, model.slab, self.communicator))
        self.seal()

    @property
    def is_resumed(self) -> bool:
        """Whether it goes on from a checkpoint."""
        return self._checkpoint is not None

    @property
    def temperature(self) -> float:
        """T from now on; set it on all ranks alike, before `run` or in its calls.

        Annealing sets it too, until it ends.
        """
        return self.model.temperature

    @temperature.setter
    def temperature(self, temperature: float) -> None:
        self.model.temperature = temperature

    @property
    def strain_rate(self) -> float:
        """The macroscopic strain rate from now on; set it on all ranks alike."""
        return self.model.strain_rate

    @strain_rate.setter
    def strain_rate(self, rate: float) -> None:
        self.model.strain_rate = rate

    @property
    def activity(self) -> float | None:
        """The last activity that was measured, on the root; None before."""
        return self._recorder.activity

    @property
    def clock(self) -> dict[str, float]:
        """What the earlier parts of a resumed run have counted; see `Pace`."""
        return self._checkpoint.header.clock if self._checkpoint else {}

    @property
    def total_steps(self) -> int:
        """Steps of the whole run; beyond all bounds while the end of the warm-up is undecided."""
        return self.warmup_steps + self.measured_steps

    @property
    def warmup_steps(self) -> int:
        """Steps before the measurement, annealing included; see `Warmup`."""
        return self._warmup.steps

    @classmethod
    def resume(
        cls,
        directory: str | os.PathLike[str],
        overrides: Iterable[str] = (),
        communicator: Communicator | None = None,
        *,
        previous: bool = False,
        device: Device | None = None,
    ) -> Simulation:
        """Return the simulation of a run that goes on from its checkpoint.  Collective.

        Parameters
        ----------
        directory : path
            RUN; locked until the run has ended.
        overrides : texts section.key=value
            Of the keys in `MAY_CHANGE` only.
        previous : bool
            Go on from the checkpoint before the last.
        device : Device
            Default: the one that the configuration names.

        Raises
        ------
        ConfigError
            On all ranks, if the run is going on, or cannot go on so.
        OutputError
            On all ranks, if the directory cannot be written to.
        """
        communicator = communicator or Communicator.world()
        if communicator.broadcast(is_ensemble(Path(directory))):
            raise ConfigError(expected_run(Path(directory)))
        checkpoint = Checkpoint.open(Path(directory), communicator, previous=previous)
        try:
            before = stored_configuration(checkpoint.header.configuration)
            configuration = changed(before, overrides)
            checkpoint.check_size(configuration, communicator)
            simulation = cls(configuration, communicator, checkpoint, device)
            if checkpoint.header.step_count > simulation.total_steps:
                done = checkpoint.header.step_count - simulation.warmup_steps
                raise ConfigError(
                    f"time.duration = {configuration.time.duration}: the run has gone on for "
                    f"{done * configuration.time.step:.12g} already; set a longer one"
                )
            return simulation
        except ConfigError:
            checkpoint.release()
            raise

    def run(
        self,
        directory: str | os.PathLike[str] | None = None,
        *,
        progress: bool = True,
        surroundings: Surroundings | None = None,
        every: float | None = None,
        call: Callable[[Moment], object] | None = None,
    ) -> Path:
        """Run to the end, or until it has to stop, and write RUN/run.h5.  Collective.

        It stops, with a checkpoint, before its time limit and on SIGTERM, SIGUSR1, SIGHUP or
        SIGINT; `stopped` then says why.

        Parameters
        ----------
        directory : path
            RUN, which must not exist yet; left out where the run is resumed.
        progress : bool
            Whether the root tells speed, activity and time left.
        surroundings : Surroundings
            Shared with other runs, in place of its own signals, time limit and progress.
        every : float
            Time between two calls; a whole number of steps.
        call : callable
            Called with a `Moment`, on all ranks, at the end of the warm-up and then every so often,
            after what is written at that step.  It may set `temperature` and `strain_rate`, which
            are series of run.h5 then, and part of the checkpoint.

        Returns
        -------
        Path
            RUN.

        Raises
        ------
        ConfigError
            On all ranks, if RUN exists, or it has run before, or `every` and `call` do not go
            together; nothing is changed then.
        OutputError
            On all ranks, if it cannot be written.
        StateError
            On all ranks, if a number of the state is not finite; the checkpoint is of before.
        Interrupted
            On all ranks, after SIGINT (Ctrl-C) and the checkpoint: a KeyboardInterrupt, so that a
            loop over runs ends too.  Not with surroundings, whose owner has the signals.
        """
        course = self.course(
            directory, progress=progress, surroundings=surroundings, every=every, call=call
        )
        with closing(course) as steps:
            for step in steps:
                self.model.advance(step)
        if surroundings is None and self.stopped == INTERRUPT:
            raise Interrupted(self.directory)
        return self.directory

    def course(
        self,
        directory: str | os.PathLike[str] | None = None,
        *,
        progress: bool = True,
        surroundings: Surroundings | None = None,
        every: float | None = None,
        call: Callable[[Moment], object] | None = None,
    ) -> Generator[int]:
        """Do all that `run` does but the steps: whoever iterates takes one or more each time.

        Collective.  Parameters, and what is raised, as for `run`.

        Yields
        ------
        int
            The step before which there is nothing else to do.
        """
        model, recorder = self.model, self._recorder
        if self._has_run:
            raise ConfigError(
                f"this Simulation has run already, in {self.directory}: go on with "
                f"Simulation.resume({str(self.directory)!r}), or make another one"
            )
        calls = Calls.of(every, call, self.configuration)
        if calls is not None:
            model.keep_imposed()
        with (
            self._surrounded(surroundings, shown=progress) as around,
            recorder.open(directory, self._checkpoint) as store,
            Watchdog(self.communicator.is_root and around.pace is None) as watchdog,
        ):
            self.directory, self._has_run = store.directory, True
            pace = around.pace or self._own_pace(around)
            around.told.begin(model.step_count)
            if self._warmup.is_decided:
                around.told.expect(self.total_steps)
            self._warmup.anneal()
            if self._checkpoint is None:
                self._look_and_change(store, calls)
                recorder.save(store, pace)
            look, self.stopped, self.progressed = model.step_count + 1, "", False
            while model.step_count < self.total_steps and not self.stopped:
                yield self._next_due(look, calls)
                if self._warmup.end_if_steady():
                    recorder.begin_measurement(self.warmup_steps)
                if model.step_count == self.warmup_steps:
                    pace.warmup_time = pace.wall_time
                    around.told.expect(self.total_steps)
                self._look_and_change(store, calls)
                looks = model.paused or model.step_count >= look
                if looks or model.step_count == self.total_steps:
                    watchdog.alive(model.step_count)
                    phase = "warm-up" if model.step_count < self.warmup_steps else "measure"
                    around.told.update(model.step_count, phase, recorder.activity)
                if looks and model.step_count < self.total_steps:
                    decision = pace.decide(model.step_count)
                    look = self._act(decision, store, pace)
                    self.progressed |= not decision.stop
            store.describe(self._result(pace))
            recorder.save(store, pace)

    def _look_and_change(self, store: RunStore, calls: Calls | None) -> None:
        """Write what is due at this step; then do what changes the steps to come.  Collective."""
        self._recorder.write(store, self.warmup_steps)
        self._warmup.anneal()
        if calls is not None:
            calls.make(self.model, self.warmup_steps)

    def _next_due(self, look: int, calls: Calls | None) -> int:
        """Return the first step at which there is anything to do but the step."""
        due = min(look, self.total_steps, self._warmup.next_due())
        if calls is not None:
            due = min(due, calls.next_due(self.model.step_count, self.warmup_steps))
        written = self._recorder.next_due(self.warmup_steps)
        return due if written is None else min(due, written)

    def _surrounded(
        self, given: Surroundings | None, *, shown: bool
    ) -> AbstractContextManager[Surroundings]:
        """Return the surroundings that were given, or a run's own, to be entered."""
        if given is not None:
            return nullcontext(given)
        walltime, is_root = self.configuration.run.walltime, self.communicator.is_root
        speed = speed_of(self.configuration)
        return alone(walltime, speed, is_root=is_root, shown=shown)

    def _own_pace(self, around: Surroundings) -> Pace:
        """Return the pace of a run that does not go on in step with others."""
        every = self.configuration.output.checkpoint_every
        return Pace(self.communicator, around.signals, around.limit, every, self.clock)

    def _act(self, decision: Decision, store: RunStore, pace: Pace) -> int:
        """Do what was decided; return the step at which to decide again.  Collective."""
        self.stopped = decision.stop
        if decision.checkpoint and not decision.stop:
            self._recorder.save(store, pace)
        elif decision.publish and not decision.stop:
            store.publish()
            pace.published(store.publication_seconds)
        return decision.next_look

    def _result(self, pace: Pace) -> dict[str, Any]:
        """Return what is known in the end."""
        model_steps = self.model.step_count
        updates = model_steps * self.model.lattice.sites
        return {
            **self._warmup.describe(),
            "wall_time": pace.wall_time,
            "warmup_time": pace.warmup_time,
            "warmup_steps": min(self.warmup_steps, model_steps),
            "site_updates_per_second": updates / pace.wall_time,
            "stopped" if self.stopped else "finished": self.stopped or now(),
        }
