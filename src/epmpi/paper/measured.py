"""Measure the runs of the paper, several at a time, and name them by model and temperature."""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from epmpi.analysis import Analysis, RunFile, measure
from epmpi.analysis.activity import series_of
from epmpi.analysis.arrhenius import Arrhenius, fit_arrhenius
from epmpi.analysis.blocks import Estimate, block_average
from epmpi.paper.cases import Case


@dataclass(frozen=True)
class Measured:
    """One run with its analysis."""

    case: Case
    run: Path
    analysis: Analysis

    @property
    def activity(self) -> Estimate:
        """Mean activity."""
        return self.analysis.averages["activity"]

    @property
    def duration(self) -> float:
        """Measured time, in tau: that of the case, or less if the run was stopped."""
        return measured_time(self.run)

    @property
    def label(self) -> str:
        """Name in a legend."""
        if self.case.random:
            return rf"random, $a={self.activity.value:.2g}$"
        return rf"$T={self.case.temperature:g}$"


def measure_all(found: Mapping[Case, Path], workers: int) -> list[Measured]:
    """Analyse these runs, each in a process of its own."""
    cases, paths = list(found), list(found.values())
    if workers == 1:
        analyses = [measure_one(path) for path in paths]
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            analyses = list(pool.map(measure_one, paths))
    return [Measured(*found) for found in zip(cases, paths, analyses, strict=True)]


def measure_one(path: Path) -> Analysis:
    """Measure one run."""
    with RunFile(path) as run:
        return measure(run)


def measured_time(path: Path) -> float:
    """Return the measured time of a run, in tau; 0 where there is no run."""
    if not (path / "run.h5").is_file():
        return 0.0
    with RunFile(path) as run:
        return float(run.series("activity")[0].time[-1]) if run.has("observables/activity") else 0.0


def mean_activity(path: Path) -> float:
    """Return the mean activity of a finished run, from its series alone."""
    with RunFile(path) as run:
        return block_average(series_of(run, "activity")[1]).value


def fit_activity(thermal: Sequence[Measured], below: float) -> Arrhenius | None:
    """Fit the Arrhenius law at temperatures up to `below`; None with fewer than two of them."""
    chosen = [one for one in thermal if one.case.temperature <= below]
    return fit_arrhenius(
        [one.case.temperature for one in chosen],
        [one.activity.value for one in chosen],
        [one.activity.error for one in chosen],
    )
