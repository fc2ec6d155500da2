"""Measure the runs of the paper, several at a time, and name them by model and temperature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from epmpi.analysis import Analysis, RunFile, measure
from epmpi.analysis.blocks import Estimate
from epmpi.analysis.fits import Fit
from epmpi.analysis.regimes import Window
from epmpi.campaign.formulas import fit_arrhenius
from epmpi.campaign.processes import in_processes
from epmpi.paper.cases import Case

LOW_TEMPERATURE = 0.1  # highest temperature of the Arrhenius fit


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
    def windows(self) -> dict[str, Window]:
        """Regimes of D(t) that the run reaches, by name."""
        tracers = self.analysis.tracers
        return {window.name: window for window in tracers.windows} if tracers else {}

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

    @property
    def name(self) -> str:
        """Name in a table."""
        model = f"T = {self.case.temperature:g}"
        if self.case.random:
            model = f"random, a = {self.activity.value:.3g}"
        return f"{model}, L = {self.case.size}"


def measure_all(found: Mapping[Case, Path], workers: int) -> list[Measured]:
    """Analyse these runs, several at a time."""
    analyses = in_processes(measure_one, workers, found.values())
    return [Measured(*one, analysis) for one, analysis in zip(found.items(), analyses, strict=True)]


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


def by_model(runs: Sequence[Measured]) -> tuple[list[Measured], list[Measured]]:
    """Return the thermal runs, by temperature, and the random ones, in their order."""
    thermal = [run for run in runs if not run.case.random]
    random = [run for run in runs if run.case.random]
    return sorted(thermal, key=lambda run: run.case.temperature), random


def cold_runs(runs: Sequence[Measured]) -> list[Measured]:
    """Return the thermal runs of the Arrhenius fit, in their order."""
    return [
        run
        for run in runs
        if not run.case.random
        and run.case.temperature <= LOW_TEMPERATURE
        and run.activity.value > 0
        and np.isfinite(run.activity.error)
    ]


def fit_activity(runs: Sequence[Measured], *, curved: bool = False) -> Fit | None:
    """Fit the Arrhenius law to `cold_runs`; see `fit_arrhenius`."""
    points = [
        (run.case.temperature, run.activity.value, run.activity.error) for run in cold_runs(runs)
    ]
    return fit_arrhenius(*np.reshape(points, (-1, 3)).T, curved=curved)
