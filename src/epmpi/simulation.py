"""A run from its start to its file: the clock, what is written when, and the progress told."""

from __future__ import annotations

import os
import time
from pathlib import Path

from epmpi.config import Configuration
from epmpi.model import Model
from epmpi.output import RunStore, collect, open_run, read_final_fields
from epmpi.output.provenance import now
from epmpi.parallel import Communicator
from epmpi.progress import RunProgress

LOOK_STEPS = 16  # steps between two looks at the clock
PUBLISH_INTERVAL = 20.0  # seconds between publications of what has been written
NAMED_STATES = ("zero", "gaussian")  # of initial.state; anything else is the path of a run


class Simulation:
    """A model, its warm-up and its measurement.

    Parameters
    ----------
    configuration : Configuration
    communicator : Communicator
        Default: all ranks that were launched together.

    Attributes
    ----------
    model : Model
    warmup_steps, measured_steps : int
    """

    def __init__(
        self, configuration: Configuration, communicator: Communicator | None = None
    ) -> None:
        self.configuration = configuration
        self.communicator = communicator or Communicator.world()
        self.model = Model(configuration, self.communicator)
        clock, output = configuration.time, configuration.output
        self.warmup_steps = configuration.steps(clock.warmup)
        self.measured_steps = configuration.steps(clock.duration)
        self._every = {
            "series": configuration.steps(output.series_every),
            "trajectory": configuration.steps(output.trajectory_every),
            "fields": configuration.steps(output.fields_every),
        }
        self._activity: float | None = None
        if configuration.initial.state not in NAMED_STATES:
            model = self.model
            path = configuration.initial.state
            model.set_fields(*read_final_fields(path, model.slab, self.communicator))

    def run(self, directory: str | os.PathLike[str], *, progress: bool = True) -> Path:
        """Run to the end and write RUN/run.h5.  Collective.

        Parameters
        ----------
        directory : path
            RUN; must not exist yet.
        progress : bool
            Whether the root tells speed, activity and time left.

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
        """
        directory, model, communicator = Path(directory), self.model, self.communicator
        total = self.warmup_steps + self.measured_steps
        known = collect(self.configuration, communicator, model.device.name, model.fft.engine)
        shown = progress and communicator.is_root
        with (
            open_run(directory, self.configuration, communicator, model.lattice, known) as store,
            RunProgress(total, model.lattice.sites, shown=shown) as told,
        ):
            start = published = time.perf_counter()
            warmup_time = 0.0
            self._write(store)
            while model.step_count < total:
                model.step()
                if model.step_count == self.warmup_steps:
                    warmup_time = time.perf_counter() - start
                self._write(store)
                if model.step_count % LOOK_STEPS == 0 or model.step_count == total:
                    phase = "warm-up" if model.step_count < self.warmup_steps else "measure"
                    told.update(model.step_count, phase, self._activity)
                    due = time.perf_counter() - published > PUBLISH_INTERVAL
                    if model.step_count < total and communicator.broadcast(due):
                        store.publish()
                        published = time.perf_counter()
            wall_time = time.perf_counter() - start
            store.finish(
                {
                    "wall_time": wall_time,
                    "warmup_time": warmup_time,
                    "warmup_steps": self.warmup_steps,
                    "site_updates_per_second": total * model.lattice.sites / wall_time,
                    "finished": now(),
                }
            )
        return directory

    def _write(self, store: RunStore) -> None:
        """Write what is due at this step."""
        model = self.model
        step = model.step_count - self.warmup_steps
        now = step * self.configuration.time.step
        warmup = step < 0
        if self._due("series", model.step_count if warmup else step):
            observables = model.observables()
            self._activity = observables.get("activity")
            if warmup:
                store.series(model.step_count, model.time, observables, warmup=True)
            else:
                store.series(step, now, observables)
        if warmup:
            return
        if self._due("trajectory", step):
            store.trajectory(step, now, model.tracers.identity, model.tracers.position)
        if self._due("fields", step):
            store.fields(
                step,
                now,
                {
                    "stress": model.stress,
                    "plastic_strain": model.plastic_strain,
                    "active": model.direction,
                },
            )

    def _due(self, what: str, step: int) -> bool:
        """Tell whether something is to be written at a step; an interval of 0 means never."""
        every = self._every[what]
        return every > 0 and step % every == 0
