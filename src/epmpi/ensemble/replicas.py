"""The replicas of one group of ranks: one after another, or in step as a batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from epmpi.config import MAY_CHANGE, ConfigError, Configuration, replica_name
from epmpi.devices import Device
from epmpi.ensemble.directory import EnsembleDirectory
from epmpi.ensemble.lockstep import run_in_step
from epmpi.ensemble.together import Together
from epmpi.model.state import StateError
from epmpi.output import OutputError, on_root
from epmpi.parallel import Communicator
from epmpi.run.control import RunControl
from epmpi.run.simulation import Simulation
from epmpi.run.stopping import Pace, TimeLimit

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
    group : Communicator
    device : Device
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
        """Make the first replica, before anything is written.  Collective in the group.

        Raises
        ------
        ConfigError
            On all ranks of the group, if it cannot be run.
        """
        try:
            self._first = self._simulation(self.numbers[0])
        except ConfigError as error:
            raise named(error, self.numbers[0]) from None

    def run(self, folder: EnsembleDirectory, together: Together, limit: TimeLimit) -> Iterator[End]:
        """Run them all, until one is stopped.  Collective in the group.

        Yields
        ------
        End
            Of each that was run, when it has ended.
        """
        one_way = self._run_in_step if self.in_step else self._run_in_turn
        yield from one_way(folder, together, limit)

    def _run_in_turn(
        self, folder: EnsembleDirectory, together: Together, limit: TimeLimit
    ) -> Iterator[End]:
        for replica in self.numbers:
            stopped, progressed, error = "", False, None
            together.watchdog.alive()
            try:
                simulation = self._take(replica)
                target = _target(simulation, replica, folder)
                simulation.run(target, control=self._control(together, limit))
                stopped, progressed = simulation.stopped, simulation.progressed
            except ENDS as found:
                error = named(found, replica)
            yield End(replica, stopped, progressed, error)
            if stopped:
                return

    def _run_in_step(
        self, folder: EnsembleDirectory, together: Together, limit: TimeLimit
    ) -> Iterator[End]:
        """Run those at the same step together: all, unless they were stopped apart."""
        simulations: dict[int, Simulation] = {}
        for replica in self.numbers:
            try:
                simulations[replica] = self._take(replica)
            except ENDS as found:
                yield End(replica, "", False, named(found, replica))
        models = {replica: simulation.model for replica, simulation in simulations.items()}
        began = {replica: model.step_count for replica, model in models.items()}
        for step in sorted(set(began.values())):
            numbers = [replica for replica in models if began[replica] == step]
            every, clock = self.configuration.output.checkpoint_every, simulations[numbers[0]].clock
            pace = Pace(self.group, together, limit, every, clock, len(numbers))
            courses = {
                replica: simulations[replica].course(
                    _target(simulations[replica], replica, folder),
                    control=self._control(together, limit, pace),
                )
                for replica in numbers
            }
            for replica, error in run_in_step(models, courses, ENDS):
                simulation, error = simulations[replica], error and named(error, replica)
                yield End(replica, simulation.stopped, simulation.progressed, error)

    def _control(
        self, together: Together, limit: TimeLimit, pace: Pace | None = None
    ) -> RunControl:
        listener = together.progress(counted=self.group.is_root)
        return RunControl(together, limit, listener, together.watchdog, pace)

    def _take(self, replica: int) -> Simulation:
        """Return the simulation of a replica; the first one has been made already."""
        made, self._first = self._first, None
        return made or self._simulation(replica)

    def _simulation(self, replica: int) -> Simulation:
        """Return the simulation of one replica, new or resumed.  Collective in the group."""
        group, folder = self.group, self._resumed
        begun = folder and group.broadcast(on_root(group, lambda: folder.has_begun(replica)))
        if folder is not None and begun:
            overrides = self.configuration.as_overrides(MAY_CHANGE)
            run = folder.replica(replica)
            return Simulation.resume(run, overrides, group, device=self.device)
        return Simulation(self.configuration.replica(replica), group, device=self.device)


def _target(simulation: Simulation, replica: int, folder: EnsembleDirectory) -> Path | None:
    """Return the RUN directory of a new replica; None for a resumed one."""
    return None if simulation.is_resumed else folder.replica(replica)


def named(error: Exception, replica: int) -> Exception:
    """Return an error of a replica, its message led by the replica's name."""
    return type(error)(f"{replica_name(replica)}: {error}")
