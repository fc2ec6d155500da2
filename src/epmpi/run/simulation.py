"""A run: its model, new or from a checkpoint, its warm-up and its measurement."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from pathlib import Path

from epmpi.config import (
    ConfigError,
    Configuration,
    changed,
    expected_run,
    is_ensemble,
    stored_configuration,
)
from epmpi.config.sealed import Sealed
from epmpi.devices import Device
from epmpi.model.model import IMPOSED, Model
from epmpi.output import Checkpoint, read_final_fields
from epmpi.parallel import Communicator
from epmpi.parallel.placement import check_memory, place
from epmpi.run.calls import Calls, Moment
from epmpi.run.course import Course, RunControl
from epmpi.run.planning import needed_bytes
from epmpi.run.progress import RunProgress, speed_of
from epmpi.run.stopping import INTERRUPT, Interrupted, Pace, StopSignals, time_limit
from epmpi.run.watchdog import Watchdog

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
        That the run continues from; see `resume`.
    device : Device
        Default: the one that the configuration names.

    Attributes
    ----------
    model : Model
    measured_steps : int

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
        with Watchdog(self.communicator, limit=configuration.run.stall_limit):
            if device is None:
                device = place(configuration.device, self.communicator)
                needed = needed_bytes(configuration, self.communicator, device)
                check_memory(needed, device, self.communicator)
            self.model = model = Model(configuration, self.communicator, device)
            self.measured_steps = configuration.steps(configuration.time.duration)
            self._course = Course(model, checkpoint)
            if checkpoint is not None:
                self._restore(checkpoint)
            elif configuration.initial.state not in NAMED_STATES:
                path = configuration.initial.state
                model.set_fields(*read_final_fields(path, model.slab, self.communicator))
        self.seal()

    def _restore(self, checkpoint: Checkpoint) -> None:
        """Take the state of a checkpoint.  Collective."""
        model = self.model
        if any(name.startswith(f"root/{IMPOSED}/") for name in checkpoint.header.checksums):
            model.keep_imposed()
        like, number = model.state(), self.configuration.tracers.number
        model.restore(checkpoint.state(like, number, model.slab, self.communicator))
        self._course.recorder.saved_step = model.step_count
        self._course.warmup.restore()
        self._course.recorder.begin_measurement()

    @property
    def is_resumed(self) -> bool:
        """Whether it continues from a checkpoint."""
        return self._course.checkpoint is not None

    @property
    def temperature(self) -> float:
        """T from now on; set it on all ranks alike, before `run` or in its calls.

        Annealing overrides it until it ends.
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
        """The last measured activity, on the root; None before the first."""
        return self._course.recorder.activity

    @property
    def directory(self) -> Path:
        """RUN, once the run has started."""
        return self._course.directory

    @property
    def stopped(self) -> str:
        """Reason of a stop of `run` before the end, with a checkpoint; empty without one."""
        return self._course.stopped

    @property
    def progressed(self) -> bool:
        """Whether `run` continued after its first poll of the clock, after one step."""
        return self._course.progressed

    @property
    def clock(self) -> dict[str, float]:
        """Seconds of the earlier parts of a resumed run, by name; see `Pace.clock`."""
        return self._course.clock

    @property
    def total_steps(self) -> int:
        """Steps of the whole run; see `Course`."""
        return self._course.total_steps

    @property
    def warmup_steps(self) -> int:
        """Steps before the measurement, annealing included; see `Warmup`."""
        return self._course.warmup.steps

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
        """Return the simulation that continues a run from its checkpoint.  Collective.

        Parameters
        ----------
        directory : path
            RUN; locked until the run has ended.
        overrides : texts section.key=value
            Of the keys in `MAY_CHANGE` only.
        previous : bool
            Continue from the checkpoint before the last.
        device : Device
            Default: the one that the configuration names.

        Raises
        ------
        ConfigError
            On all ranks, if the run is running, or cannot be continued so.
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
            with Watchdog(communicator, limit=configuration.run.stall_limit):
                checkpoint.check_size(configuration, communicator)
            simulation = cls(configuration, communicator, checkpoint, device)
            if checkpoint.header.step_count > simulation.total_steps:
                done = checkpoint.header.step_count - simulation.warmup_steps
                raise ConfigError(
                    f"time.duration = {configuration.time.duration}: the run has measured for "
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
        every: float | None = None,
        call: Callable[[Moment], object] | None = None,
    ) -> Path:
        """Run to the end, or until it has to stop, and write RUN/run.h5.  Collective.

        It stops, with a checkpoint, before its time limit and on SIGTERM, SIGUSR1, SIGHUP or
        SIGINT; `stopped` then says why.

        Parameters
        ----------
        directory : path
            RUN, which must not exist yet; omitted for a resumed run.
        progress : bool
            Whether the root prints speed, activity and time left.
        every : float
            Time between two calls; a whole number of steps.
        call : callable
            Called with a `Moment`, on all ranks, at the end of the warm-up and then at intervals of
            `every`, after the output of that step.  It may set `temperature` and `strain_rate`,
            which then become series of run.h5, and part of the checkpoint.

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
            On all ranks, if a number of the state is not finite; the last checkpoint is good.
        Interrupted
            On all ranks, after SIGINT (Ctrl-C) and the checkpoint: a KeyboardInterrupt, so that a
            loop over runs ends too.
        """
        calls = Calls.of(every, call, self.configuration)
        configuration, communicator = self.configuration, self.communicator
        is_root = communicator.is_root  # whose time limit counts
        limit = time_limit(configuration.run.walltime) if is_root else float("inf")
        with (
            StopSignals() as signals,
            RunProgress(speed_of(configuration), shown=progress and is_root) as listener,
            Watchdog(communicator, limit=configuration.run.stall_limit) as watchdog,
        ):
            every = configuration.output.checkpoint_every
            pace = Pace(communicator, signals, limit, every, self.clock)
            control = RunControl(pace, listener, watchdog)
            with closing(self._course.steps(directory, calls, control)) as steps:
                for step in steps:
                    self.model.advance(step)
        if self.stopped == INTERRUPT:
            raise Interrupted(self.directory)
        return self.directory

    def course(
        self, directory: str | os.PathLike[str] | None, control: RunControl
    ) -> Generator[int]:
        """Do all that `run` does except the steps, which the caller takes at each iteration.

        Collective.  Errors as for `run`, but none after SIGINT: the owner of the control, which
        runs share, has the signals.

        Yields
        ------
        int
            The step up to which there is nothing else to do: at most until there.
        """
        return self._course.steps(directory, None, control)
