"""A run from its start to its file: the clock, what is written when, and when it stops."""

from __future__ import annotations

import os
import time
import tomllib
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from epmpi.config import (
    MAY_CHANGE,
    ConfigError,
    Configuration,
    expected_run,
    from_mapping,
    is_ensemble,
)
from epmpi.devices import Device
from epmpi.model import Model
from epmpi.output import Checkpoint, RunStore, collect, open_run, read_final_fields
from epmpi.output.provenance import now
from epmpi.parallel import Communicator
from epmpi.placement import check_memory, place
from epmpi.planning import array_bytes
from epmpi.progress import RunProgress
from epmpi.schedule import Schedule
from epmpi.state import StateError
from epmpi.stopping import Decision, Pace, Signals, StopSignals, TimeLimit, Watchdog
from epmpi.waiting import WaitingTimes
from epmpi.warmup import Warmup

NAMED_STATES = ("zero", "gaussian")  # of initial.state; anything else is the path of a run


class Told(Protocol):
    """Whom a run tells how far it is; see `RunProgress`."""

    def begin(self, step: int) -> None:
        """Name the step that the run starts from."""
        ...

    def expect(self, total: int) -> None:
        """Name the last step of the run."""
        ...

    def update(self, step: int, phase: str, activity: float | None) -> None:
        """Tell the step reached, the phase of the run, and the last activity measured."""
        ...


@dataclass(frozen=True)
class Surroundings:
    """What a run shares with others that go on beside it; see `epmpi.ensemble`.

    Attributes
    ----------
    signals : Signals
    limit : TimeLimit
    told : Told
    pace : Pace or None
        Shared by runs that go on in step, so that all do the same at the same steps.
    """

    signals: Signals
    limit: TimeLimit
    told: Told
    pace: Pace | None = None


class Simulation:
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
            device = place(configuration.run.device, self.communicator)
            needed = array_bytes(configuration, self.communicator.size, device)
            check_memory(needed, device, self.communicator)
        self.model = model = Model(configuration, self.communicator, device)
        self._warmup = Warmup(configuration, model, self.communicator)
        self.measured_steps = configuration.steps(configuration.time.duration)
        self.directory = Path()
        self.stopped = ""
        self._schedule = Schedule(configuration)
        self._waits: WaitingTimes | None = None
        if configuration.output.waiting_times_every:
            self._waits = WaitingTimes(model.slab.shape, self.warmup_steps, model.device)
            model.gather("waiting_times", self._waits)
        self._activity: float | None = None
        self._checkpoint = checkpoint
        self._saved_step = -1
        if checkpoint is not None:
            like, number = model.state(), configuration.tracers.number
            model.restore(checkpoint.state(like, number, model.slab, self.communicator))
            self._saved_step = model.step_count
            self._warmup.restore()
            self._start_counting()
        elif configuration.initial.state not in NAMED_STATES:
            path = configuration.initial.state
            model.set_fields(*read_final_fields(path, model.slab, self.communicator))

    @property
    def is_resumed(self) -> bool:
        """Whether it goes on from a checkpoint."""
        return self._checkpoint is not None

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
            configuration = changed(stored(checkpoint.header.configuration), overrides)
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
    ) -> Path:
        """Run to the end, or until it has to stop, and write RUN/run.h5.  Collective.

        It stops, with a checkpoint, before its time limit and on SIGTERM, SIGUSR1 or SIGINT.

        Parameters
        ----------
        directory : path
            RUN, which must not exist yet; left out where the run is resumed.
        progress : bool
            Whether the root tells speed, activity and time left.
        surroundings : Surroundings
            Shared with other runs, in place of its own signals, time limit and progress.

        Returns
        -------
        Path
            RUN.

        Raises
        ------
        ConfigError
            On all ranks, if RUN exists; nothing is changed then.
        OutputError
            On all ranks, if it cannot be written.
        StateError
            On all ranks, if a number of the state is not finite; the checkpoint is of before.
        """
        with closing(self.course(directory, progress=progress, surroundings=surroundings)) as steps:
            for _ in steps:
                self.model.step()
        return self.directory

    def course(
        self,
        directory: str | os.PathLike[str] | None = None,
        *,
        progress: bool = True,
        surroundings: Surroundings | None = None,
    ) -> Generator[None]:
        """Do all that `run` does but the steps: whoever iterates takes one each time.  Collective.

        Parameters, and what is raised, as for `run`.
        """
        model, every = self.model, self.configuration.output.checkpoint_every
        root = self.communicator.is_root
        total = self.total_steps if self._warmup.is_decided else 0
        if surroundings is None:
            limit = TimeLimit(self.configuration.run.walltime if root else 0.0)
            catching: Any = StopSignals()
            telling: Any = RunProgress(total, model.lattice.sites, shown=progress and root)
        else:
            limit = surroundings.limit
            catching, telling = nullcontext(surroundings.signals), nullcontext(surroundings.told)
        with (
            catching as signals,
            self._store(directory) as store,
            telling as told,
            Watchdog(root and not (surroundings and surroundings.pace)) as watchdog,
        ):
            self.directory = store.directory
            pace = surroundings.pace if surroundings and surroundings.pace else None
            pace = pace or Pace(self.communicator, signals, limit, every, self.clock)
            told.begin(model.step_count)
            if total:
                told.expect(total)
            if self._checkpoint is None:
                self._write(store)
                self._save(store, pace)
            look, self.stopped = model.step_count + 1, ""
            while model.step_count < self.total_steps and not self.stopped:
                self._warmup.anneal()
                yield
                if self._warmup.end_if_steady():
                    self._start_counting()
                if model.step_count == self.warmup_steps:
                    pace.warmup_time = pace.wall_time
                    told.expect(self.total_steps)
                self._write(store)
                if model.step_count >= look or model.step_count == self.total_steps:
                    watchdog.alive(model.step_count)
                    phase = "warm-up" if model.step_count < self.warmup_steps else "measure"
                    told.update(model.step_count, phase, self._activity)
                if look <= model.step_count < self.total_steps:
                    look = self._act(pace.decide(model.step_count), store, pace)
            store.describe(self._result(pace))
            self._save(store, pace)

    def _start_counting(self) -> None:
        """Count waiting times from the end of the warm-up on."""
        if self._waits is not None:
            self._waits.begin_at(self.warmup_steps)

    def _store(self, directory: str | os.PathLike[str] | None) -> RunStore:
        """Open the store of a new run, or of one that is resumed.  Collective."""
        model, communicator = self.model, self.communicator
        known = collect(self.configuration, communicator, model.device.name, model.fft.engine)
        known |= {"device_name": model.device.describe(), "exchange": model.fft.transport}
        known |= self._schedule.describe()
        if self._waits is not None:
            known["waiting_times"] = {"edges": self._waits.edges}
        if self._checkpoint is not None:
            return self._checkpoint.continue_run(
                self.configuration, communicator, model.lattice, known
            )
        if directory is None:
            raise ConfigError("no directory: a new run needs one")
        return open_run(Path(directory), self.configuration, communicator, model.lattice, known)

    def _act(self, decision: Decision, store: RunStore, pace: Pace) -> int:
        """Do what was decided; return the step at which to decide again.  Collective."""
        self.stopped = decision.stop
        if decision.checkpoint and not decision.stop:
            self._save(store, pace)
        elif decision.publish and not decision.stop:
            store.publish()
            pace.published()
        return decision.next_look

    def _save(self, store: RunStore, pace: Pace) -> None:
        """Write a checkpoint, unless the state is not sound.  Collective."""
        began = time.monotonic()
        self._check()
        store.checkpoint(self.model.state(), pace.clock())
        self._saved_step = self.model.step_count
        pace.saved(began)

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

    def _check(self) -> None:
        """Raise StateError on all ranks if a number of the state is not finite.  Collective."""
        fault, model = self.model.fault(), self.model
        error = fault and StateError(
            f"{fault} at step {model.step_count} (time {model.time:.12g} from the start of the "
            f"run); the checkpoint of step {self._saved_step} is good"
        )
        self.communicator.raise_alike(error or None)

    def _write(self, store: RunStore) -> None:
        """Write what is due at this step."""
        model, to_host = self.model, self.model.device.to_host
        step = model.step_count - self.warmup_steps
        now = step * self.configuration.time.step
        warmup = step < 0
        due = self._schedule.due
        series = due("series", model.step_count if warmup else step)
        trajectory, fields, waits = (
            not warmup and due(what, step) for what in ("trajectory", "fields", "waiting_times")
        )
        if series or trajectory or fields:
            self._check()
        if series:
            observables = model.observables()
            self._activity = observables.get("activity")
            if warmup:
                store.series(model.step_count, model.time, observables, warmup=True)
            else:
                store.series(step, now, observables)
        if trajectory:
            identity, position = map(to_host, (model.tracers.identity, model.tracers.position))
            store.trajectory(step, now, identity, position)
        if fields:
            store.fields(
                step,
                now,
                {
                    "stress": to_host(model.stress),
                    "plastic_strain": to_host(model.plastic_strain),
                    "active": to_host(model.direction),
                },
            )
        if waits and self._waits is not None:
            counted = self.communicator.sum(self._waits.number)
            store.histograms(step, now, {"waiting_times": counted})


def stored(text: str) -> Configuration:
    """Return the configuration that a run has left; raise ConfigError if it cannot be used."""
    try:
        return from_mapping(tomllib.loads(text))
    except (ConfigError, ValueError) as error:
        raise ConfigError(f"the configuration in the checkpoint cannot be used: {error}") from None


def changed(
    before: Configuration, overrides: Iterable[str], may_change: Sequence[str] = MAY_CHANGE
) -> Configuration:
    """Return the configuration of a run with the overrides that a resumed run may have.

    Raises
    ------
    ConfigError
        If an override cannot be read, or changes another key.
    """
    after = before.with_overrides(overrides)
    old, new = before.to_mapping(), after.to_mapping()
    for section, values in new.items():
        for key, value in values.items():
            if value != old[section].get(key) and f"{section}.{key}" not in may_change:
                raise ConfigError(
                    f"{section}.{key} = {value!r}: the run has {old[section].get(key)!r}, and a "
                    f"resumed run may change {', '.join(may_change)} only; start a new one"
                )
    return after
