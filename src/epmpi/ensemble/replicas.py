"""The replicas of one group of ranks: one after another, or in step as a batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import NamedTuple

from epmpi.config import MAY_CHANGE, ConfigError, Configuration, replica_name
from epmpi.devices import Device
from epmpi.ensemble.directory import EnsembleDirectory
from epmpi.ensemble.together import Together
from epmpi.model.batch import Batch
from epmpi.model.model import Model
from epmpi.model.state import StateError
from epmpi.output import OutputError, on_root
from epmpi.output.leftovers import has_begun
from epmpi.parallel import Communicator
from epmpi.run.course import RunControl
from epmpi.run.simulation import Simulation
from epmpi.run.stopping import Pace

ENDS = (ConfigError, OutputError, StateError)  # errors that end one replica, not the others


class End(NamedTuple):
    """The end of a replica: by itself, stopped, or by an error."""

    replica: int
    stopped: str
    progressed: bool
    error: Exception | None


class Replicas:
    """Makes and runs the replicas of this rank's group.

    Parameters
    ----------
    configuration : Configuration
        Of the ensemble.
    numbers : list of int
        Of the replicas, in order.
    resumed : EnsembleDirectory or None
        Directory of an ensemble to continue, in which replicas may have begun.

    Attributes
    ----------
    in_step : bool
        Whether they run as a batch.  Not on a CPU, where each alone stays in cache.
    """

    def __init__(
        self,
        configuration: Configuration,
        numbers: list[int],
        group: Communicator,
        device: Device,
        resumed: EnsembleDirectory | None,
    ) -> None:
        self.configuration = configuration
        self.numbers = numbers
        self.group = group
        self.device = device
        self.in_step = (
            device.batches
            and group.size == 1
            and len(numbers) > 1
            and configuration.run.fft == "auto"
        )
        self._resumed = resumed
        self._first: Simulation | None = None

    def make_first(self) -> None:
        """Make the first replica; ConfigError if it cannot be run.  Collective in the group."""
        self._first = self._simulation(self.numbers[0])

    def run(self, folder: EnsembleDirectory, together: Together, limit: float) -> Iterator[End]:
        """Run them all, until one is stopped.  Collective in the group.

        Parameters
        ----------
        limit : float
            Time of the monotonic clock at which all must have ended.

        Yields
        ------
        End
            Of each that was run, when it has ended.
        """
        for numbers in [self.numbers] if self.in_step else [[number] for number in self.numbers]:
            together.watchdog.alive()
            stopped = False
            for end in self._run_some(numbers, folder, together, limit):
                stopped |= bool(end.stopped)
                yield end
            if stopped:
                return

    def _run_some(
        self, numbers: list[int], folder: EnsembleDirectory, together: Together, limit: float
    ) -> Iterator[End]:
        """Run these in groups at the same step: in one group, unless they were stopped apart."""
        made: dict[int, Simulation] = {}
        for replica in numbers:
            try:
                made[replica] = self._take(replica)
            except ENDS as found:
                yield End(replica, "", False, named(found, replica))
        began = {replica: simulation.model.step_count for replica, simulation in made.items()}
        for step in sorted(set(began.values())):
            simulations = {replica: made[replica] for replica in made if began[replica] == step}
            every = self.configuration.output.checkpoint_every
            clock = next(iter(simulations.values())).clock
            pace = Pace(self.group, together, limit, every, clock, len(simulations))
            yield from self._run_in_step(simulations, folder, together, pace)

    def _run_in_step(
        self,
        simulations: dict[int, Simulation],
        folder: EnsembleDirectory,
        together: Together,
        pace: Pace,
    ) -> Iterator[End]:
        """Run simulations that are at the same step, as `Simulation.run` does one."""
        courses, due = {}, {}
        stepping: Batch | Model | None = None
        with ExitStack() as opened:
            for replica, simulation in simulations.items():
                target = None if simulation.is_resumed else folder.replica(replica)
                listener = together.progress(counted=self.group.is_root)
                control = RunControl(pace, listener, together.watchdog)
                courses[replica] = opened.enter_context(closing(simulation.course(target, control)))
                due[replica] = simulation.model.step_count
            while due:
                step = min(due.values())
                for replica in [replica for replica, then in due.items() if then == step]:
                    error: Exception | None = None
                    try:
                        due[replica] = next(courses[replica])
                        continue
                    except StopIteration:
                        pass
                    except ENDS as found:
                        error = named(found, replica)
                    del due[replica]
                    stepping = None
                    simulation = simulations[replica]
                    yield End(replica, simulation.stopped, simulation.progressed, error)
                if due:
                    models = [simulations[replica].model for replica in due]
                    stepping = stepping or (Batch(models) if self.in_step else models[0])
                    stepping.advance(min(due.values()))

    def _take(self, replica: int) -> Simulation:
        """Return the simulation of a replica; the first one has been made already."""
        made, self._first = self._first, None
        return made or self._simulation(replica)

    def _simulation(self, replica: int) -> Simulation:
        """Return the simulation of one replica, new or resumed.  Collective in the group.

        One that was killed at its start is begun anew.
        """
        group, run = self.group, self._resumed and self._resumed.replica(replica)
        if run and group.broadcast(on_root(group, lambda: has_begun(run))):
            overrides = self.configuration.as_overrides(MAY_CHANGE)
            return Simulation.resume(run, overrides, group, device=self.device)
        return Simulation(self.configuration.replica(replica), group, device=self.device)


def named(error: Exception, replica: int) -> Exception:
    """Return an error of a replica, its message led by the replica's name."""
    return type(error)(f"{replica_name(replica)}: {error}")
