"""A snapshot of an ensemble, finished or running, from its run files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis import AnalysisError
from epmpi.config import ENSEMBLE, ConfigError, Configuration, load, replica_name
from epmpi.watch.snapshot import SERIES, Progress, Snapshot, read_snapshot


@dataclass(frozen=True)
class Replicas(Progress):
    """Progress of the runs of an ensemble when their files were last published.

    Attributes
    ----------
    name : str
        Of the RUN directory.
    configuration : Configuration
        Of the ensemble.
    runs : dict of int to Snapshot
        Those that have begun, by number.
    """

    name: str
    configuration: Configuration
    runs: dict[int, Snapshot]

    @property
    def number(self) -> int:
        """Number of replicas."""
        return self.configuration.run.replicas

    @property
    def finished(self) -> int:
        """Number of replicas that have finished."""
        return sum(run.ended == "finished" for run in self.runs.values())

    @property
    def running(self) -> int:
        """Number of replicas that have begun and not ended."""
        return sum(not run.has_ended for run in self.runs.values())

    @property
    def has_ended(self) -> bool:
        """Whether all replicas have finished, or all have been stopped."""
        stopped = len(self.runs) > self.finished + self.running
        return self.finished == self.number or (stopped and not self.running)

    @property
    def published(self) -> float:
        """Time of the last publication, in seconds since the epoch; 0 if there was none."""
        return max((run.published for run in self.runs.values()), default=0.0)

    @property
    def rate(self) -> float | None:
        """Steps a second of all running replicas; None if unknown."""
        rates = [run.rate for run in self.runs.values() if run.rate and not run.has_ended]
        return sum(rates) if rates else None

    @property
    def step(self) -> int:
        """Number of steps made, in all replicas."""
        return sum(run.step for run in self.runs.values())

    @property
    def total(self) -> int | None:
        """Steps of all replicas; None while one has not decided when its warm-up ends."""
        totals = [run.total for run in self.runs.values()]
        known = [total for total in totals if total is not None]
        if not known or len(known) < len(totals):
            return None
        return sum(known) + (self.number - len(known)) * max(known)

    def mean(self, name: str) -> NDArray[np.float64]:
        """Return the mean of a series over the replicas that have the sample, shape (samples,)."""
        series = [run.series[name] for run in self.runs.values() if name in run.series]
        longest = max((values.size for values in series), default=0)
        total, count = np.zeros(longest), np.zeros(longest)
        for values in series:
            total[: values.size] += values
            count[: values.size] += 1
        return total / count

    def latest(self, name: str) -> NDArray[np.float64]:
        """Return the last sample of a series of each replica that has begun, shape (replicas,)."""
        found = [run.series[name] for run in self.runs.values() if name in run.series]
        return np.array([values[-1] for values in found if values.size])

    def names(self) -> list[str]:
        """Return the names of the available series."""
        return [name for name in SERIES if self.latest(name).size]


def read_replicas(directory: Path, before: Replicas | None = None) -> Replicas:
    """Read the run files of an ensemble, each of which may be replaced at any moment.

    Parameters
    ----------
    before : Replicas, optional
        An earlier snapshot, from which the rates are measured.

    Raises
    ------
    AnalysisError
        If the configuration or a run file cannot be read.
    """
    try:
        configuration = load(directory / ENSEMBLE)
    except ConfigError as error:
        raise AnalysisError(str(error)) from error
    runs = {}
    for number in range(configuration.run.replicas):
        run = directory / replica_name(number)
        if (run / "run.h5").exists():
            runs[number] = read_snapshot(run, before.runs.get(number) if before else None)
    return Replicas(directory.resolve().name, configuration, runs)
