"""The numbers of a run that a scan collects, and their averages over seeds."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from epmpi.analysis import Analysis, RunFile, measure
from epmpi.analysis.blocks import jackknife_error, leave_one_out, student_factor
from epmpi.analysis.consistency import long_time_coefficient, velocity_variance
from epmpi.analysis.displacement import SquaredDisplacement
from epmpi.analysis.lags import sliding_lags
from epmpi.analysis.random_model import velocity_sum
from epmpi.analysis.reading import POSITION

NOT_KNOWN = (float("nan"), float("nan"))
FEWEST_SEEDS = 5  # whose spread is an error; fewer say too little of it
SHORT_LAGS = (0.4, 1.6)  # tau, of gamma_short: there at every step up to 0.4
DIFFUSION_LAG = 50.0  # tau
SHORT_Q = np.pi / 2  # inverse lattice spacings

Value = tuple[float, float]


@dataclass(frozen=True)
class Mean:
    """An average over seeds.

    Attributes
    ----------
    value, error : float
        The error comes from the spread of the seeds, with Student's factor, where there are
        `FEWEST_SEEDS`; else from the errors of the runs themselves.
    seeds : int
    """

    value: float
    error: float
    seeds: int


def _average(name: str, run: RunFile, analysis: Analysis) -> Value:
    found = analysis.averages.get(name)
    return (found.value, found.error) if found else NOT_KNOWN


def _velocity(run: RunFile, analysis: Analysis) -> Value:
    return velocity_variance(analysis.tracers.diffusion) if analysis.tracers else NOT_KNOWN


def _diffusion(run: RunFile, analysis: Analysis) -> Value:
    """Return D of regime III, where the run reaches it."""
    if analysis.tracers is None:
        return NOT_KNOWN
    for window in analysis.tracers.windows:
        if window.name == "III":
            return long_time_coefficient(analysis.tracers.diffusion, window)
    return NOT_KNOWN


def _diffusion_50(run: RunFile) -> Value:
    """Return D(t) at the lag nearest to `DIFFUSION_LAG`, whatever the regime."""
    if not run.has(POSITION):
        return NOT_KNOWN
    lags = sliding_lags(run.clock(POSITION))
    if not lags:
        return NOT_KNOWN
    nearest = min(lags, key=lambda lag: abs(np.log(lag.time / DIFFUSION_LAG)))
    squares = SquaredDisplacement([nearest])
    for strip in run.strips():
        squares.add(strip)
    found = squares.result()
    return float(found.coefficient[0]), float(found.coefficient_error[0])


def _gamma(name: str, run: RunFile, analysis: Analysis) -> Value:
    if analysis.tracers is not None:
        for fit in analysis.tracers.fits:
            if fit.window.name == name:
                return fit.gamma, fit.gamma_error
    return NOT_KNOWN


def _gamma_short(run: RunFile, analysis: Analysis) -> Value:
    """Return d ln(-ln S)/d ln t between the `SHORT_LAGS`, at the modulus nearest to `SHORT_Q`.

    Both lags are there whatever the step is (up to 0.4), unlike the regimes' windows.
    """
    if analysis.tracers is None:
        return NOT_KNOWN
    factor = analysis.tracers.structure_factor
    shell = int(np.abs(factor.q - SHORT_Q).argmin())
    lags = [int(np.abs(factor.lag - lag).argmin()) for lag in SHORT_LAGS]
    if not np.allclose(factor.lag[lags], SHORT_LAGS):
        return NOT_KNOWN

    def slope(pair: np.ndarray) -> float:
        first, last = -np.log(pair)
        return float(np.log(last / first) / np.log(SHORT_LAGS[1] / SHORT_LAGS[0]))

    blocks = max(int(factor.blocks[shell, lags].min()), 2)
    left_out = leave_one_out([factor.by_origin[lag][shell] for lag in lags], blocks)
    return slope(factor.value[shell, lags]), float(
        jackknife_error([slope(pair) for pair in left_out])
    )


def _velocity_law(run: RunFile, analysis: Analysis) -> Value:
    """Return the velocity variance that the random model has exactly, with the run's activity."""
    activity = run.parameter("model", "activity")
    total = velocity_sum(run.shape, run.parameter("tracers", "interpolation"))
    if activity is None or total is None:
        return NOT_KNOWN
    rate = run.parameter("model", "event_strain") / run.parameter("model", "relaxation_time")
    return activity * rate**2 * total, 0.0


def _velocity_over_law(run: RunFile, analysis: Analysis) -> Value:
    """Return the measured velocity variance over that of the law."""
    (value, error), (law, _) = _velocity(run, analysis), _velocity_law(run, analysis)
    return value / law, error / law


def _warmup(run: RunFile, analysis: Analysis) -> Value:
    """Return how long the warm-up took, in tau."""
    return float(run.series("activity", warmup=True)[0].time[-1]), 0.0


QUANTITIES: dict[str, Callable[[RunFile, Analysis], Value]] = {
    "activity": partial(_average, "activity"),
    "stress_mean": partial(_average, "stress_mean"),
    "stress_variance": partial(_average, "stress_variance"),
    "velocity_variance": _velocity,
    "velocity_law": _velocity_law,
    "velocity_over_law": _velocity_over_law,
    "diffusion": _diffusion,
    "gamma_I": partial(_gamma, "I"),
    "gamma_II": partial(_gamma, "II"),
    "gamma_short": _gamma_short,
    "warmup": _warmup,
    "diffusion_50": lambda run, analysis: _diffusion_50(run),
}
WITHOUT_ANALYSIS = {"diffusion_50"}  # known from the run file by themselves


def measure_quantities(
    wanted: Mapping[Path, Sequence[str]], workers: int
) -> list[dict[str, Value]]:
    """Measure the quantities wanted of finished runs, each run in a process of its own."""
    runs, quantities = list(wanted), list(wanted.values())
    if workers == 1 or len(runs) < 2:
        return [_measure(*one) for one in zip(runs, quantities, strict=True)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        return list(pool.map(_measure, runs, quantities))


def _measure(path: Path, quantities: Sequence[str]) -> dict[str, Value]:
    with RunFile(path) as run:
        analysis: Any = None
        if set(quantities) - WITHOUT_ANALYSIS:
            analysis = measure(run)
        return {name: QUANTITIES[name](run, analysis) for name in quantities}


def mean_over_seeds(found: Sequence[dict[str, Value]]) -> dict[str, Mean]:
    """Average each quantity over independent runs of equal length."""
    means = {}
    for name in found[0]:
        pairs = np.array([one[name] for one in found if np.isfinite(one[name][0])])
        if len(pairs) == 0:
            means[name] = Mean(*NOT_KNOWN, 0)
            continue
        values, errors = pairs.T
        if len(pairs) < FEWEST_SEEDS:
            error = float(np.sqrt(np.sum(errors**2))) / len(pairs)
        else:
            spread = float(values.std(ddof=1)) / np.sqrt(values.size)
            error = student_factor(values.size) * spread
        means[name] = Mean(float(values.mean()), error, values.size)
    return means
