"""Independent runs at once: groups of ranks share out the replicas of an ensemble."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from operator import itemgetter
from pathlib import Path

from epmpi.config import ConfigError, Configuration, extended, is_ensemble
from epmpi.config.sealed import Sealed
from epmpi.ensemble.directory import EnsembleDirectory
from epmpi.ensemble.replicas import End, Replicas, named
from epmpi.ensemble.together import Together
from epmpi.output import OutputError, on_root
from epmpi.parallel import Communicator
from epmpi.parallel.groups import Groups, check_groups
from epmpi.parallel.placement import check_memory, place
from epmpi.run.planning import needed_bytes
from epmpi.run.progress import RunProgress, speed_of
from epmpi.run.stopping import INTERRUPT, Interrupted, time_limit
from epmpi.run.watchdog import Watchdog


class Ensemble(Sealed):
    """The replicas of a configuration, each an ordinary run with a seed of its own.

    Making one is collective.  Each group of a new ensemble makes its first replica at once, so that
    a configuration that cannot be run is refused before anything is written.

    Parameters
    ----------
    configuration : Configuration
    communicator : Communicator
        Default: all ranks that were launched together.
    resumed : EnsembleDirectory
        Directory of the ensemble to continue; see `resume`.

    Attributes
    ----------
    replicas : list of int
        Replicas to run.
    finished : int
        Number of all replicas that have reached their end.
    stopped : str
        Reason of a stop of the last `run` before its end; empty without one.
    progressed : bool
        Whether some replica took more than one step in the last `run`.

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
        self.progressed = False
        self._ran_in: Path | None = None
        with Watchdog(self.communicator, limit=configuration.run.stall_limit):
            self._share_out()
        self.seal()

    def _share_out(self) -> None:
        """Make groups of the ranks, and the first replica of each if they are new.  Collective."""
        configuration, resumed = self.configuration, self._directory
        check_groups(configuration, self.communicator.size, len(self.replicas))
        self.groups = Groups(self.communicator, self.replicas)
        self.device = place(configuration.device, self.communicator)
        mine, group = self.groups.mine, self.groups.group
        self._mine = Replicas(configuration, mine, group, self.device, resumed)
        needed = needed_bytes(configuration, group, self.device)
        if self._mine.in_step:  # each replica's own arrays, and its part of those of the batch
            needed *= 2 * len(mine)
        check_memory(needed, self.device, self.communicator)
        error: Exception | None = None
        try:
            if resumed is None:
                self._mine.make_first()
        except ConfigError as found:
            error = named(found, mine[0])
        self.communicator.raise_alike(error)

    @classmethod
    def resume(
        cls,
        directory: str | os.PathLike[str],
        overrides: Iterable[str] = (),
        communicator: Communicator | None = None,
    ) -> Ensemble:
        """Return the ensemble that continues the replicas of a directory.  Collective.

        Finished replicas are not run again, those that have not begun are started.

        Parameters
        ----------
        directory : path
            RUN; locked until the ensemble has ended.
        overrides : texts section.key=value
            Of the keys in `ENSEMBLE_MAY_CHANGE` only; `run.replicas` may become larger.

        Raises
        ------
        ConfigError
            On all ranks, if the ensemble is running, or cannot be continued so.
        OutputError
            On all ranks, if the directory cannot be written to.
        """
        communicator = communicator or Communicator.world()
        folder = EnsembleDirectory(Path(directory))

        def read() -> Configuration:
            if not is_ensemble(folder.path):
                raise ConfigError(f"{folder.path} is no ensemble: there is no ensemble.toml")
            return extended(folder.open(), overrides)

        try:
            configuration = communicator.broadcast(on_root(communicator, read))
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
            RUN, which must not exist yet; omitted for a resumed ensemble.
        progress : bool
            Whether the root prints speed, activity and time left.

        Returns
        -------
        Path
            RUN.

        Raises
        ------
        ConfigError, OutputError, StateError
            On all ranks, of the first replica that could not be run to its end.
        Interrupted
            On all ranks, after SIGINT (Ctrl-C) and the checkpoints: a KeyboardInterrupt.
        """
        communicator = self.communicator
        if self._ran_in is not None:
            raise ConfigError(
                f"this Ensemble has run already, in {self._ran_in}: continue with "
                f"Ensemble.resume({str(self._ran_in)!r}), or make another one"
            )
        if self._directory is None and directory is None:
            raise ConfigError("no directory: a new ensemble needs one")
        folder = self._directory or EnsembleDirectory(Path(directory or ""))
        with Watchdog(communicator, limit=self.configuration.run.stall_limit) as watchdog:
            try:
                on_root(communicator, lambda: self._claim(folder))
                self._ran_in = folder.path
                ends = self._carry_out(folder, watchdog, shown=progress and communicator.is_root)
            finally:
                folder.release()
        counted = ends if self.groups.group.is_root else []
        everything = communicator.broadcast(communicator.gather(counted))
        ends = sorted((end for of_rank in everything for end in of_rank), key=itemgetter(0))
        self.progressed = any(end.progressed for end in ends)
        self.stopped = next((end.stopped for end in ends if end.stopped), "")
        self.finished += sum(not end.stopped and end.error is None for end in ends)
        communicator.raise_alike(next((end.error for end in ends if end.error), None))
        if self.stopped == INTERRUPT:
            raise Interrupted(folder.path)
        return folder.path

    def _carry_out(
        self, folder: EnsembleDirectory, watchdog: Watchdog, *, shown: bool
    ) -> list[End]:
        """Run the replicas of this rank's group, and wait for all others.  Collective."""
        limit, speed = self._limit(), speed_of(self.configuration)
        with (
            RunProgress(speed, shown=shown) as bar,
            Together(self.communicator, bar, watchdog, len(self.replicas)) as together,
        ):
            watchdog.alive(0)
            bar.begin(0, self.configuration.tracers.every)
            ends = list(self._mine.run(folder, together, limit))
            together.finish()
        return ends

    def _claim(self, folder: EnsembleDirectory) -> None:
        """Make and lock the directory if it is new, and write the configuration.  On the root."""
        if self._directory is None:
            folder.make()
        folder.write(self.configuration)

    def _limit(self) -> float:
        """Return the time limit of the root, on the clock of this rank's host.  Collective."""
        communicator = self.communicator
        limit = time_limit(self.configuration.run.walltime) if communicator.is_root else 0.0
        return time.monotonic() + float(communicator.broadcast(limit - time.monotonic()))
