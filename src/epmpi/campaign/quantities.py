"""The numbers of a run that a scan collects, and their averages over seeds."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from epmpi.analysis import Analysis, RunFile, measure
from epmpi.analysis.blocks import student_factor
from epmpi.analysis.consistency import long_time_coefficient, velocity_variance

NOT_KNOWN = (float("nan"), float("nan"))

Value = tuple[float, float]


@dataclass(frozen=True)
class Mean:
    """An average over seeds.

    Attributes
    ----------
    value, error : float
        With several seeds the error comes from their spread, with Student's factor; with one, it
        is that of the run itself.
    seeds : int
    """

    value: float
    error: float
    seeds: int


def _average(name: str, analysis: Analysis) -> Value:
    found = analysis.averages.get(name)
    return (found.value, found.error) if found else NOT_KNOWN


def _velocity(analysis: Analysis) -> Value:
    return velocity_variance(analysis.tracers.diffusion) if analysis.tracers else NOT_KNOWN


def _diffusion(analysis: Analysis) -> Value:
    """Return D of regime III, or at the longest lag where the run does not reach it."""
    if analysis.tracers is None:
        return NOT_KNOWN
    for window in analysis.tracers.windows:
        if window.name == "III":
            return long_time_coefficient(analysis.tracers.diffusion, window)
    return NOT_KNOWN


def _gamma(name: str, analysis: Analysis) -> Value:
    if analysis.tracers is not None:
        for fit in analysis.tracers.fits:
            if fit.window.name == name:
                return fit.gamma, fit.gamma_error
    return NOT_KNOWN


QUANTITIES: dict[str, Callable[[Analysis], Value]] = {
    "activity": partial(_average, "activity"),
    "stress_mean": partial(_average, "stress_mean"),
    "stress_variance": partial(_average, "stress_variance"),
    "velocity_variance": _velocity,
    "diffusion": _diffusion,
    "gamma_I": partial(_gamma, "I"),
    "gamma_II": partial(_gamma, "II"),
}


def measure_quantities(
    runs: Sequence[Path], quantities: Sequence[str], workers: int
) -> list[dict[str, Value]]:
    """Measure some quantities of finished runs, each in a process of its own."""
    if workers == 1:
        return [_measure(quantities, run) for run in runs]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        return list(pool.map(partial(_measure, tuple(quantities)), runs))


def _measure(quantities: Sequence[str], path: Path) -> dict[str, Value]:
    with RunFile(path) as run:
        analysis = measure(run)
    return {name: QUANTITIES[name](analysis) for name in quantities}


def mean_over_seeds(found: Sequence[dict[str, Value]]) -> dict[str, Mean]:
    """Average each quantity over independent runs of equal length."""
    means = {}
    for name in found[0]:
        values = np.array([one[name][0] for one in found])
        values = values[np.isfinite(values)]
        if values.size == 0:
            means[name] = Mean(float("nan"), float("nan"), 0)
        elif values.size == 1:
            error = next(one[name][1] for one in found if np.isfinite(one[name][0]))
            means[name] = Mean(float(values[0]), float(error), 1)
        else:
            spread = float(values.std(ddof=1)) / np.sqrt(values.size)
            error = student_factor(values.size) * spread
            means[name] = Mean(float(values.mean()), error, values.size)
    return means
