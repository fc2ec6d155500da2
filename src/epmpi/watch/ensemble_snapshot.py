"""A snapshot of an ensemble, finished or running, from its run files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis import AnalysisError
from epmpi.config import ENSEMBLE, ConfigError, load, replica_name
from epmpi.watch.snapshot import SERIES, Snapshot, read_snapshot


@dataclass(frozen=True)
class Replicas(Snapshot):
    """Progress of an ensemble: steps and speeds of its runs added up, series averaged.

    Attributes
    ----------
    runs : dict of int to Snapshot
        Those that have begun, by number.
    """

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

    def latest(self, name: str) -> NDArray[np.float64]:
        """Return the last sample of a series of each replica that has it, shape (replicas,)."""
        found = [run.series[name] for run in self.runs.values() if name in run.series]
        return np.array([values[-1] for values in found])


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
    number, runs = configuration.run.replicas, {}
    for replica in range(number):
        run = directory / replica_name(replica)
        if (run / "run.h5").exists():
            runs[replica] = read_snapshot(run, before.runs.get(replica) if before else None)
    seen = list(runs.values())
    totals = [run.total for run in seen if run.total is not None]
    total = None
    if totals and len(totals) == len(seen):  # those to come are as long as the longest of these
        total = sum(totals) + (number - len(seen)) * max(totals)
    rates = [run.rate for run in seen if run.rate and not run.has_ended]
    return Replicas(
        name=directory.resolve().name,
        configuration=configuration,
        published=max((run.published for run in seen), default=0.0),
        ended=_ended(seen, number),
        step=sum(run.step for run in seen),
        total=total,
        in_warmup=all(run.in_warmup for run in seen),
        series={
            name: _mean(run.series[name] for run in seen if name in run.series)
            for name in SERIES
            if any(name in run.series for run in seen)
        },
        rate=sum(rates) if rates else None,
        runs=runs,
    )


def _ended(runs: list[Snapshot], number: int) -> str:
    """Return "finished" if all replicas have, "stopped" if one was and no other is running."""
    ended = [run.ended for run in runs]
    if ended == number * ["finished"]:
        return "finished"
    return "stopped" if all(ended) and set(ended) - {"finished"} else ""


def _mean(series: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the mean over the replicas that have the sample, shape (samples,)."""
    found = list(series)
    total = np.zeros(max(values.size for values in found))
    count = np.zeros(total.size)
    for values in found:
        total[: values.size] += values
        count[: values.size] += 1
    return total / count
