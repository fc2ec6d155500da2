"""Output of the model during a run: frames at their steps, checkpoints of a finite state."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from epmpi.config import ConfigError
from epmpi.host.console import say
from epmpi.model.completed import CompletedEvents
from epmpi.model.model import Model
from epmpi.model.state import StateError
from epmpi.model.waiting import WaitCounts
from epmpi.output import Checkpoint, RunStore, collect, open_run
from epmpi.output.provenance import mixed_bits, other_bits
from epmpi.run.schedule import Schedule
from epmpi.run.stopping import Pace
from epmpi.run.warmup import UNDECIDED, Warmup


class Recorder:
    """Writer of the frames and checkpoints of a run.

    Parameters
    ----------
    model : Model
        Counts waiting times from now on, where they are requested.
    warmup : Warmup
        Whose end may be undecided.

    Attributes
    ----------
    activity : float or None
        The last measured value; on the root.
    saved_step : int
        Step of the last checkpoint; -1 before the first.
    """

    def __init__(self, model: Model, warmup: Warmup) -> None:
        self.configuration = configuration = model.configuration
        self.model = model
        self._warmup = warmup
        self.activity: float | None = None
        self.saved_step = -1
        self._counted = (0.0, 0.0)  # active time, and the time at which it was read
        self._schedule = Schedule(configuration)
        self._events: CompletedEvents | None = None
        if configuration.output.events:
            self._events = model.clock.log_events(warmup.steps)
        self._waits: WaitCounts | None = None
        if configuration.output.waiting_times_every:
            self._waits = model.clock.waiting_times(warmup.steps)
            model.accumulate("waiting_times", self._waits)

    def begin_measurement(self) -> None:
        """Count waiting times and log events from the end of the warm-up, which is now known."""
        if self._events is not None:
            self._events.begin_at(self._warmup.steps)
        if self._waits is not None:
            self._waits.begin_at(self._warmup.steps)

    def open(
        self, directory: str | os.PathLike[str] | None, checkpoint: Checkpoint | None
    ) -> RunStore:
        """Open the store of a new run, or of one to continue from a checkpoint.  Collective.

        Raises
        ------
        ConfigError
            On all ranks, if a new run has no directory, or one that exists.
        OutputError
            On all ranks, if it cannot be written.
        """
        model, communicator = self.model, self.model.communicator
        known = collect(self.configuration, communicator, model.device.name, model.fft.engine)
        known |= {"device_name": model.device.describe(), "exchange": model.fft.transport}
        known |= self._schedule.describe()
        known["arithmetic"], known["processor"] = model.device.arithmetic()
        kinds = communicator.gather(known["arithmetic"])
        if kinds is not None:
            before = checkpoint.header.versions if checkpoint else {}
            for line in filter(None, (mixed_bits(kinds), other_bits(before, known))):
                say(f"epmpi: {line}")
        if self._waits is not None:
            known["waiting_times"] = {"edges": self._waits.edges}
        if checkpoint is not None:
            return checkpoint.continue_run(self.configuration, communicator, model.lattice, known)
        if directory is None:
            raise ConfigError("no directory: a new run needs one")
        return open_run(Path(directory), self.configuration, communicator, model.lattice, known)

    def next_due(self) -> int:
        """Return the next step at which something is written, or `UNDECIDED`."""
        step, due, warmup_steps = self.model.step_count, self._schedule.next_due, self._warmup.steps
        if step < warmup_steps:
            steps = [due("series", step), warmup_steps]
        else:
            steps = [
                None if (then := due(what, step - warmup_steps)) is None else then + warmup_steps
                for what in self._schedule.every
            ]
        return min((then for then in steps if then is not None), default=UNDECIDED)

    def write(self, store: RunStore) -> None:
        """Write the frames of this step, and the events that have ended.  Collective.

        Raises
        ------
        OutputError
            On all ranks, if it cannot be written.
        StateError
            As for `save`.
        """
        model, to_host = self.model, self.model.device.to_host
        step = model.step_count - self._warmup.steps
        now = step * self.configuration.time.step
        warmup = step < 0
        due = self._schedule.due
        series = due("series", model.step_count if warmup else step)
        trajectory, fields, waits = (
            not warmup and due(what, step) for what in ("trajectory", "fields", "waiting_times")
        )
        self._log_events(store)
        if series or trajectory or fields:
            sums = model.row_sums()
            self._check(sums)
        if series:
            observables = model.observables(sums)
            self.activity = self._activity(observables)
            if warmup:
                store.series(model.step_count, model.time, observables, warmup=True)
            else:
                store.series(step, now, observables)
        if trajectory:
            model.clock.place_tracers()
            identity, position = map(to_host, (model.tracers.identity, model.tracers.position))
            store.trajectory(step, now, identity, position)
        if fields:
            store.fields(
                step,
                now,
                {name: to_host(field) for name, field in model.fields.by_name().items()},
            )
        if waits and self._waits is not None:
            counted = model.communicator.sum(self._waits.number)
            store.histograms(step, now, {"waiting_times": counted})

    def _activity(self, observables: dict[str, float]) -> float | None:
        """Return the activity: the exact mean since the last output, if the clock has it."""
        active, time = observables.get("active_time"), self.model.time
        if active is None:
            return observables.get("activity")
        (before, since), self._counted = self._counted, (active, time)
        if time == since:
            return observables.get("activity")
        return (active - before) / (time - since) / self.model.lattice.sites

    def save(self, store: RunStore, pace: Pace) -> None:
        """Write a checkpoint.  Collective.

        Raises
        ------
        OutputError
            On all ranks, if it cannot be written.
        StateError
            On all ranks, if a number of the state is not finite; nothing is written then.
        """
        began = time.monotonic()
        self._check()
        self._log_events(store)
        store.checkpoint(self.model.state(), pace.clock())
        self.saved_step = self.model.step_count
        pace.published(store.publication_seconds)
        pace.saved(began)

    def _log_events(self, store: RunStore) -> None:
        """Hand the events that have ended to the store.  Collective."""
        if self._events is not None:
            store.events(self._events.take())

    def _check(self, sums: NDArray[np.float64] | None = None) -> None:
        """Raise StateError on all ranks if a number of the state is not finite.  Collective.

        The sums, if given, are those of `Model.row_sums`.
        """
        fault, model = self.model.fault(sums), self.model
        error = fault and StateError(
            f"{fault} at step {model.step_count} (time {model.time:.12g} from the start of the "
            f"run); the checkpoint of step {self.saved_step} is good"
        )
        model.communicator.raise_alike(error or None)
