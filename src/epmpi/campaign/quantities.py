"""The numbers of a run that a scan collects, and their averages over seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from epmpi.analysis import Analysis, RunFile, measure
from epmpi.analysis.activity import series_of
from epmpi.analysis.blocks import block_average, student_factor
from epmpi.analysis.consistency import long_time_coefficient, velocity_variance
from epmpi.analysis.curve import Results, average_function
from epmpi.analysis.displacement import Diffusion, SquaredDisplacement
from epmpi.analysis.field_results import measure_fields
from epmpi.analysis.lags import Lag, sliding_lags
from epmpi.analysis.log_results import measure_log
from epmpi.analysis.random_model import velocity_sum
from epmpi.analysis.run_file import POSITION
from epmpi.analysis.strips import tracer_strips
from epmpi.analysis.structure_factor import MOST_ORIGINS, CosineSums
from epmpi.analysis.wavevectors import choose_shells
from epmpi.campaign.processes import in_processes
from epmpi.physics.propagators import active_strain

NOT_KNOWN = (float("nan"), float("nan"))
FEWEST_SEEDS = 5  # least number whose spread gives an error
SHORT_LAGS = (0.4, 1.6)  # tau, of gamma_short: available with every step up to 0.4
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


class Source:
    """A run to measure; it is analysed in full only if a quantity needs that."""

    def __init__(self, run: RunFile) -> None:
        self.run = run

    @cached_property
    def analysis(self) -> Analysis:
        """The full analysis of the run."""
        return measure(self.run)

    @cached_property
    def log(self) -> Results | None:
        """Results from the log of events."""
        return measure_log([self.run])

    @cached_property
    def fields(self) -> Results | None:
        """Results from the frames of the stress."""
        return measure_fields([self.run])

    @cached_property
    def lags(self) -> list[Lag]:
        """Sliding lags of the trajectory; none without one."""
        return sliding_lags(self.run.clock(POSITION)) if self.run.has(POSITION) else []

    def diffusion(self, lag: Lag) -> Diffusion:
        """Return D(t) at one lag."""
        squares = SquaredDisplacement([lag])
        for strip in tracer_strips(self.run):
            squares.add(strip)
        return squares.result()


def _average(name: str, source: Source) -> Value:
    if not source.run.has(f"observables/{name}"):
        return NOT_KNOWN
    found = block_average(series_of(source.run, name)[1])
    return found.value, float(found.error)


def _stress_variance(source: Source) -> Value:
    """Return the stress variance; none for the random model, where it grows with time."""
    random = source.run.parameter("model", "activation") == "random"
    return NOT_KNOWN if random else _average("stress_variance", source)


def _velocity(source: Source) -> Value:
    if not source.lags:
        return NOT_KNOWN
    return velocity_variance(source.diffusion(source.lags[0]))


def _diffusion(source: Source) -> Value:
    """Return D of regime III, where the run reaches it."""
    tracers = source.analysis.tracers
    windows = [one for one in tracers.windows if one.name == "III"] if tracers else []
    if tracers is None or not windows:
        return NOT_KNOWN
    return long_time_coefficient(tracers.diffusion, windows[0])


def _diffusion_50(source: Source) -> Value:
    """Return D(t) at the lag nearest to `DIFFUSION_LAG`, in any regime."""
    if not source.lags:
        return NOT_KNOWN
    nearest = min(source.lags, key=lambda lag: abs(np.log(lag.time / DIFFUSION_LAG)))
    found = source.diffusion(nearest)
    return float(found.coefficient[0]), float(found.coefficient_error[0])


def _gamma(name: str, source: Source) -> Value:
    tracers = source.analysis.tracers
    for fit in tracers.fits if tracers else ():
        if fit.window.name == name:
            return fit.gamma, fit.gamma_error
    return NOT_KNOWN


def _gamma_short(source: Source) -> Value:
    """Return d ln(-ln S)/d ln t between the `SHORT_LAGS`, at the modulus nearest to `SHORT_Q`.

    Unlike the windows of the regimes, these lags do not depend on the step (up to 0.4).
    """
    if not source.lags:
        return NOT_KNOWN
    few = sliding_lags(source.run.clock(POSITION), MOST_ORIGINS)
    lags = [min(few, key=lambda lag: abs(lag.time - time)) for time in SHORT_LAGS]
    if not np.allclose([lag.time for lag in lags], SHORT_LAGS):
        return NOT_KNOWN
    shell = min(choose_shells(source.run.shape), key=lambda one: abs(one.modulus - SHORT_Q))
    cosines = CosineSums(lags, [shell])
    for strip in tracer_strips(source.run):
        cosines.add(strip)
    factor = cosines.result()

    def slope(first: float, last: float) -> float:
        return float(np.log(np.log(last) / np.log(first)) / np.log(SHORT_LAGS[1] / SHORT_LAGS[0]))

    return average_function(slope, *(rows[0] for rows in factor.by_origin))


def _velocity_law(source: Source) -> Value:
    """Return the exact velocity variance of the random model at the activity of the run."""
    run = source.run
    activity = run.parameter("model", "activity")
    total = velocity_sum(run.shape, run.parameter("tracers", "interpolation"))
    if activity is None or total is None:
        return NOT_KNOWN
    strain, time = (run.parameter("model", key) for key in ("event_strain", "relaxation_time"))
    return activity * (2 * active_strain(strain, time)) ** 2 * total, 0.0


def _velocity_over_law(source: Source) -> Value:
    """Return the measured velocity variance over that of the law."""
    (value, error), (law, _) = _velocity(source), _velocity_law(source)
    return value / law, error / law


def _of_log(curve: str, parameter: str, source: Source) -> Value:
    """Return a number that belongs to a curve of the log of events, where there is one."""
    for found in source.log.curves if source.log else ():
        if found.name == curve:
            return found.parameters[parameter], found.parameters[f"{parameter}_error"]
    return NOT_KNOWN


def _event_rate(source: Source) -> Value:
    """Return the events of a site in a unit of time, from the log of events."""
    sites = source.run.shape[0] * source.run.shape[1]
    rate, error = _of_log("burst_time", "rate", source)
    return rate / sites, error / sites


def _theta(source: Source) -> Value:
    """Return the exponent of P(x), the distances from the threshold."""
    law = source.fields.laws.get("distance_distribution") if source.fields else None
    return NOT_KNOWN if law is None else law.parameter("theta")


def _avalanche_exponent(source: Source) -> Value:
    """Return the exponent of P(S); of the extremal driver that below the largest threshold."""
    laws = list(source.log.laws.values()) if source.log else []
    return laws[-1].parameter("exponent") if laws else NOT_KNOWN


def _load_between(source: Source) -> Value:
    """Return the stress by which a slow shear loads the sites from one avalanche to the next.

    ``mu |strain rate| <pause>``: the mean distance from its threshold of the site that begins an
    avalanche, just after the avalanche before, where temperature activates none.
    """
    model = [source.run.parameter("model", key, 0.0) for key in ("shear_modulus", "strain_rate")]
    pause, error = _of_log("avalanche_sizes", "pause", source)
    drive = abs(model[0] * model[1])
    return (drive * pause, drive * error) if drive else NOT_KNOWN


def _warmup(source: Source) -> Value:
    """Return the duration of the warm-up, in tau."""
    return float(source.run.series("activity", warmup=True)[0].time[-1]), 0.0


QUANTITIES: dict[str, Callable[[Source], Value]] = {
    "activity": partial(_average, "activity"),
    "stress_mean": partial(_average, "stress_mean"),
    "stress_variance": _stress_variance,
    "velocity_variance": _velocity,
    "velocity_law": _velocity_law,
    "velocity_over_law": _velocity_over_law,
    "diffusion": _diffusion,
    "diffusion_50": _diffusion_50,
    "gamma_I": partial(_gamma, "I"),
    "gamma_II": partial(_gamma, "II"),
    "gamma_short": _gamma_short,
    "warmup": _warmup,
    "tau_alpha": partial(_of_log, "event_persistence", "relaxation_time"),
    "chi_4_peak": partial(_of_log, "event_chi_4", "peak"),
    "chi_4_time": partial(_of_log, "event_chi_4", "peak_time"),
    "s_4_limit": partial(_of_log, "event_s_4", "limit"),
    "s_4_length": partial(_of_log, "event_s_4", "length"),
    "burst_time": partial(_of_log, "burst_time", "share"),
    "event_rate": _event_rate,
    "weakest_distance": partial(_of_log, "weakest_distance", "mean"),
    "theta": _theta,
    "avalanche_exponent": _avalanche_exponent,
    "avalanche_size": partial(_of_log, "avalanche_sizes", "mean"),
    "avalanche_cutoff": partial(_of_log, "avalanche_sizes", "cutoff"),
    "load_between": _load_between,
}


def measure_quantities(
    wanted: Mapping[Path, Sequence[str]], workers: int
) -> list[dict[str, Value]]:
    """Measure the quantities wanted of finished runs, each run in a process of its own."""
    return in_processes(_measure, workers, wanted.keys(), wanted.values())


def _measure(path: Path, quantities: Sequence[str]) -> dict[str, Value]:
    with RunFile(path) as run:
        source = Source(run)
        return {name: QUANTITIES[name](source) for name in quantities}


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
