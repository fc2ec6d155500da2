"""The course of a run: all that it does between its steps, from start to end."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

from epmpi.config import ConfigError
from epmpi.model.model import Model
from epmpi.output import Checkpoint, RunStore
from epmpi.output.provenance import now
from epmpi.run.calls import Calls
from epmpi.run.progress import ProgressListener
from epmpi.run.recorder import Recorder
from epmpi.run.stopping import Decision, Pace
from epmpi.run.warmup import Warmup
from epmpi.run.watchdog import Watchdog


class RunControl(NamedTuple):
    """What decides on the output and the stop of a run, and the receivers of its progress.

    Its own, or shared with others.
    """

    pace: Pace  # runs in step share one, so that all do the same at the same steps
    listener: ProgressListener
    watchdog: Watchdog


class Course:
    """Output, checkpoints, polls of the wall clock and the end, between the steps of a model.

    Parameters
    ----------
    checkpoint : Checkpoint or None
        That a resumed run continues from.

    Attributes
    ----------
    directory : Path
        RUN, once the run has started.
    stopped : str
        Reason of a stop before the end, with a checkpoint; empty without one.
    progressed : bool
        Whether the run continued after its first poll of the clock, after one step.
    """

    def __init__(self, model: Model, checkpoint: Checkpoint | None) -> None:
        self._model = model
        self._measured_steps = model.configuration.steps(model.configuration.time.duration)
        self.checkpoint = checkpoint
        self.warmup = Warmup(model)
        self.recorder = Recorder(model, self.warmup)
        self.directory = Path()
        self.stopped = ""
        self.progressed = False
        self._has_run = False

    @property
    def total_steps(self) -> int:
        """Steps of the whole run; huge while the end of the warm-up is undecided."""
        return self.warmup.steps + self._measured_steps

    @property
    def clock(self) -> dict[str, float]:
        """Seconds of the earlier parts of a resumed run, by name; see `Pace.clock`."""
        return self.checkpoint.header.clock if self.checkpoint else {}

    def steps(
        self,
        directory: str | os.PathLike[str] | None,
        calls: Calls | None,
        control: RunControl,
    ) -> Generator[int]:
        """Do all except the steps; see `Simulation.course`.  Collective.

        Yields
        ------
        int
            The step up to which there is nothing else to do.
        """
        model, recorder, warmup = self._model, self.recorder, self.warmup
        if self._has_run:
            raise ConfigError(
                f"this Simulation has run already, in {self.directory}: continue with "
                f"Simulation.resume({str(self.directory)!r}), or make another one"
            )
        if calls is not None:
            model.keep_imposed()
        pace = control.pace
        with recorder.open(directory, self.checkpoint) as store:
            self.directory, self._has_run = store.directory, True
            # The first move of tracers compiles code of its own: the speed counts from then on.
            begun = model.step_count
            control.listener.begin(begun, begun + model.configuration.tracers.every)
            if warmup.is_decided:
                control.listener.expect(self.total_steps)
            warmup.anneal()
            if self.checkpoint is None:
                self._write_and_change(store, calls)
                recorder.save(store, pace)
            control.watchdog.alive(model.step_count)
            look, self.stopped, self.progressed = model.step_count + 1, "", False
            while model.step_count < self.total_steps and not self.stopped:
                yield self._next_due(look, calls)
                looks = model.paused or model.step_count >= look
                if looks or model.step_count in (warmup.steps, self.total_steps):
                    model.device.synchronize()  # before reading a clock
                if warmup.end_if_steady():
                    recorder.begin_measurement()
                if model.step_count == warmup.steps:
                    pace.warmup_time = pace.wall_time
                    control.listener.expect(self.total_steps)
                self._write_and_change(store, calls)
                if looks or model.step_count == self.total_steps:
                    control.watchdog.alive(model.step_count)
                    phase = "warm-up" if model.step_count < warmup.steps else "measure"
                    control.listener.update(model.step_count, phase, recorder.activity)
                if looks and model.step_count < self.total_steps:
                    decision = pace.decide(model.step_count)
                    look = self._act(decision, store, pace)
                    self.progressed |= not decision.stop
            store.describe(self._result(pace))
            recorder.save(store, pace)

    def _write_and_change(self, store: RunStore, calls: Calls | None) -> None:
        """Write the output of this step; then change the parameters of the next.  Collective."""
        self.recorder.write(store)
        self.warmup.anneal()
        if calls is not None:
            calls.make(self._model, self.warmup.steps)

    def _next_due(self, look: int, calls: Calls | None) -> int:
        """Return the first step after which something is due."""
        due = min(look, self.total_steps, self.warmup.next_due(), self.recorder.next_due())
        if calls is not None:
            due = min(due, calls.next_due(self._model.step_count, self.warmup.steps))
        return due

    def _act(self, decision: Decision, store: RunStore, pace: Pace) -> int:
        """Act on a decision; return the step of the next one.  Collective."""
        self.stopped = decision.stop
        if decision.checkpoint and not decision.stop:
            self.recorder.save(store, pace)
        elif decision.publish and not decision.stop:
            store.publish()
            pace.published(store.publication_seconds)
        return decision.next_look

    def _result(self, pace: Pace) -> dict[str, Any]:
        """Return the parameters that are known at the end."""
        model_steps = self._model.step_count
        updates = model_steps * self._model.lattice.sites
        return {
            **self.warmup.describe(),
            "wall_time": pace.wall_time,
            "warmup_time": pace.warmup_time,
            "warmup_steps": min(self.warmup.steps, model_steps),
            "site_updates_per_second": updates / pace.wall_time,
            "stopped" if self.stopped else "finished": self.stopped or now(),
        }
