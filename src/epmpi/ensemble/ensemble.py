"""Independent runs at once: groups of ranks share out the replicas of an ensemble."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from epmpi.config import ConfigError, Configuration, is_ensemble, replica_name
from epmpi.ensemble.correspondence import Correspondence, EnsembleProgress, ReplicaProgress
from epmpi.ensemble.directory import EnsembleDirectory
from epmpi.ensemble.lockstep import in_step, run_in_step
from epmpi.groups import Groups, check_groups
from epmpi.output import OutputError
from epmpi.parallel import Communicator
from epmpi.placement import check_memory, place
from epmpi.planning import array_bytes
from epmpi.progress import RunProgress
from epmpi.simulation import MAY_CHANGE, Simulation, Surroundings, changed
from epmpi.state import StateError
from epmpi.stopping import Pace, TimeLimit

ENSEMBLE_MAY_CHANGE = (*MAY_CHANGE, "run.replicas")


class End(NamedTuple):
    """How a replica has ended: by itself, stopped, or by an error."""

    replica: int
    stopped: str
    error: Exception | None


ENDS = (ConfigError, OutputError, StateError)  # what ends one replica and leaves the others


class Ensemble:
    """The replicas of a configuration, each an ordinary run with a seed of its own.

    Making one is collective.  Of a new ensemble each group makes its first replica at once, so that
    what cannot be run is refused before anything is written.

    Parameters
    ----------
    configuration : Configuration
    communicator : Communicator
        Default: all ranks that were launched together.
    resumed : EnsembleDirectory
        That the ensemble goes on with; see `resume`.

    Attributes
    ----------
    replicas : list of int
        That are to be run.
    finished : int
        How many of all replicas have reached their end.
    stopped : str
        Why the last `run` stopped before its end; empty if it did not.

    Raises
    ------
    ConfigError
        On all ranks, if the configuration cannot be run on these ranks.
    """

    def __init__(
        self,
        configuration: Configuration,
        communicator: Communicator | None = None,
        resumed: EnsembleDirectory | None = None,
    ) -> None:
        self.configuration = configuration
        self.communicator = communicator or Communicator.world()
        self._directory = resumed
        wanted = list(range(configuration.run.replicas))
        if resumed is not None and self.communicator.is_root:
            wanted = resumed.unfinished(configuration)
        self.replicas: list[int] = self.communicator.broadcast(wanted)
        self.finished = configuration.run.replicas - len(self.replicas)
        self.stopped = ""
        check_groups(configuration, self.communicator.size, len(self.replicas))
        self.groups = Groups(self.communicator, self.replicas)
        self.device = place(configuration.run.device, self.communicator)
        self._batched = self._can_batch()
        needed = array_bytes(configuration, self.groups.group.size, self.device)
        if self._batched:  # each replica's own arrays, and its part of those of the batch
            needed *= 2 * len(self.groups.mine)
        check_memory(needed, self.device, self.communicator)
        self._first: Simulation | None = None
        error: Exception | None = None
        try:
            if resumed is None:
                self._first = self._simulation(self.groups.mine[0])
        except ConfigError as found:
            error = named(found, self.groups.mine[0])
        self.communicator.raise_alike(error)

    @classmethod
    def resume(
        cls,
        directory: str | os.PathLike[str],
        overrides: Iterable[str] = (),
        communicator: Communicator | None = None,
    ) -> Ensemble:
        """Return the ensemble that goes on with what a directory has.  Collective.

        Replicas that have finished are left alone, those that have not begun are begun.

        Parameters
        ----------
        directory : path
            RUN; locked until the ensemble has ended.
        overrides : texts section.key=value
            Of the keys in `ENSEMBLE_MAY_CHANGE` only; `run.replicas` may become larger.

        Raises
        ------
        ConfigError
            On all ranks, if the ensemble is going on, or cannot go on so.
        OutputError
            On all ranks, if the directory cannot be written to.
        """
        communicator = communicator or Communicator.world()
        folder = EnsembleDirectory(Path(directory))
        configuration: Configuration | None = None
        error: Exception | None = None
        if communicator.is_root:
            try:
                if not is_ensemble(folder.path):
                    raise ConfigError(f"{folder.path} is no ensemble: there is no ensemble.toml")
                configuration = extended(folder.open(), overrides)
            except (ConfigError, OutputError) as found:
                error = found
        try:
            communicator.raise_alike(error)
            configuration = communicator.broadcast(configuration)
            return cls(configuration, communicator, folder)
        except (ConfigError, OutputError):
            folder.release()
            raise

    def run(
        self, directory: str | os.PathLike[str] | None = None, *, progress: bool = True
    ) -> Path:
        """Run all replicas to their end, or until they have to stop.  Collective.

        An error ends its own replica; it is raised when the others have ended.

        Parameters
        ----------
        directory : path
            RUN, which must not exist yet; left out where the ensemble is resumed.
        progress : bool
            Whether the root tells speed, activity and time left.

        Returns
        -------
        Path
            RUN.

        Raises
        ------
        ConfigError, OutputError, StateError
            On all ranks, of the first replica that could not be run to its end.
        """
        communicator = self.communicator
        folder = self._claimed(directory)
        limit = self._limit()
        shown = progress and communicator.is_root
        sites = self.configuration.lattice.shape[0] * self.configuration.lattice.shape[1]
        ends: list[End] = []
        try:
            with (
                RunProgress(0, sites, shown=shown) as bar,
                Correspondence(
                    communicator, self.groups.heads, EnsembleProgress(bar, len(self.replicas))
                ) as letters,
            ):
                run = self._run_in_step if self._batched else self._run_in_turn
                ends += run(folder, letters, limit)
                letters.finish()
        finally:
            folder.release()
        told = ends if self.groups.group.is_root else []
        everything = communicator.broadcast(communicator.gather(told))
        ends = sorted((end for of_rank in everything for end in of_rank), key=itemgetter(0))
        self.stopped = next((end.stopped for end in ends if end.stopped), "")
        self.finished += sum(not end.stopped and end.error is None for end in ends)
        communicator.raise_alike(next((end.error for end in ends if end.error), None))
        return folder.path

    def _can_batch(self) -> bool:
        """Tell whether this rank's replicas go on in step.

        On a CPU they are run one after another: each stays in cache.
        """
        return (
            self.device.batches
            and self.groups.group.size == 1
            and len(self.groups.mine) > 1
            and self.configuration.tracers.every == 1
            and self.configuration.run.fft == "auto"
        )

    def _run_in_turn(
        self, folder: EnsembleDirectory, letters: Correspondence, limit: TimeLimit
    ) -> Iterator[End]:
        """Run the replicas of this group one after another.  Collective in the group."""
        for replica in self.groups.mine:
            stopped, error = "", None
            try:
                simulation, self._first = self._first or self._simulation(replica), None
                surroundings = self._surroundings(replica, letters, limit)
                simulation.run(self._target(simulation, replica, folder), surroundings=surroundings)
                stopped = simulation.stopped
            except ENDS as found:
                error = named(found, replica)
            yield End(replica, stopped, error)
            if stopped:
                return

    def _run_in_step(
        self, folder: EnsembleDirectory, letters: Correspondence, limit: TimeLimit
    ) -> Iterator[End]:
        """Run the replicas of this rank as a batch, those at the same step together."""
        simulations: dict[int, Simulation] = {}
        for replica in self.groups.mine:
            try:
                simulations[replica], self._first = self._first or self._simulation(replica), None
            except ENDS as found:
                yield End(replica, "", named(found, replica))
        for together in in_step(simulations):
            every = self.configuration.output.checkpoint_every
            clock = next(iter(together.values())).clock
            pace = Pace(self.groups.group, letters, limit, every, clock, len(together))

            def begin(replica: int, simulation: Simulation, pace: Pace = pace) -> Generator[None]:
                surroundings = self._surroundings(replica, letters, limit, pace)
                target = self._target(simulation, replica, folder)
                return simulation.course(target, surroundings=surroundings)

            for replica, error in run_in_step(together, begin, ENDS):
                yield End(replica, together[replica].stopped, error and named(error, replica))

    def _surroundings(
        self,
        replica: int,
        letters: Correspondence,
        limit: TimeLimit,
        pace: Pace | None = None,
    ) -> Surroundings:
        told = ReplicaProgress(replica, letters, telling=self.groups.group.is_root)
        return Surroundings(letters, limit, told, pace)

    @staticmethod
    def _target(simulation: Simulation, replica: int, folder: EnsembleDirectory) -> Path | None:
        """Return where a new replica is written; None for one that is resumed."""
        return None if simulation.is_resumed else folder.replica(replica)

    def _simulation(self, replica: int) -> Simulation:
        """Return the simulation of one replica, new or resumed.  Collective in the group."""
        group, folder = self.groups.group, self._directory
        if folder is not None:
            begun, error = False, None
            if group.is_root:
                try:
                    begun = folder.has_begun(replica)
                except OutputError as found:
                    error = found
            group.raise_alike(error)
            if group.broadcast(begun):
                overrides = self.configuration.as_overrides(MAY_CHANGE)
                run = folder.replica(replica)
                return Simulation.resume(run, overrides, group, device=self.device)
        return Simulation(self.configuration.replica(replica), group, device=self.device)

    def _claimed(self, directory: str | os.PathLike[str] | None) -> EnsembleDirectory:
        """Return the directory, made or already there, with the configuration.  Collective."""
        if self._directory is None and directory is None:
            raise ConfigError("no directory: a new ensemble needs one")
        folder = self._directory or EnsembleDirectory(Path(directory or ""))
        error = None
        if self.communicator.is_root:
            try:
                if self._directory is None:
                    folder.make()
                folder.write(self.configuration)
            except (ConfigError, OutputError) as found:
                error = found
        try:
            self.communicator.raise_alike(error)
        except (ConfigError, OutputError):
            folder.release()
            raise
        return folder

    def _limit(self) -> TimeLimit:
        """Return the time limit, which the root asks for all.  Collective."""
        limit = TimeLimit(self.configuration.run.walltime) if self.communicator.is_root else None
        left = self.communicator.broadcast(limit and limit.left())
        return limit or TimeLimit.after(left)


def extended(before: Configuration, overrides: Iterable[str]) -> Configuration:
    """Return the configuration of a resumed ensemble: longer, or of more replicas.

    Raises
    ------
    ConfigError
        If it would be shorter or smaller, or another key is changed.
    """
    after = changed(before, overrides, ENSEMBLE_MAY_CHANGE)
    for name, old, new in (
        ("run.replicas", before.run.replicas, after.run.replicas),
        ("time.duration", before.time.duration, after.time.duration),
    ):
        if new < old:
            raise ConfigError(f"{name} = {new}: the ensemble has {old}, expected no less")
    return after


def named(error: Exception, replica: int) -> Exception:
    """Return an error of a replica, its message led by the replica's name."""
    return type(error)(f"{replica_name(replica)}: {error}")
