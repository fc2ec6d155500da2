"""Results from the frames of the stress field: P(sigma), P(x) and C_sigma(t)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from epmpi.analysis import autocorrelation
from epmpi.analysis.autocorrelation import Autocorrelation
from epmpi.analysis.curve import Curve, FittedLaw
from epmpi.analysis.distances import DistanceDistribution
from epmpi.analysis.lags import sliding_lags
from epmpi.analysis.run_file import RunFile
from epmpi.analysis.stress import StressDistribution, fit_stretched_exponential
from epmpi.analysis.strips import distance_strips, field_strips
from epmpi.analysis.structure_factor import MOST_ORIGINS
from epmpi.analysis.tracer_results import add_strips
from epmpi.parallel import Communicator

STRESS = "fields/stress"
FEWEST_FRAMES = 16


@dataclass(frozen=True)
class FieldResults:
    """Distribution and correlation of the local stress.

    Attributes
    ----------
    curves : list of Curve
        P(sigma) and C_sigma(t); of instantaneous events P(x).
    decay : FittedLaw or None
        Stretched exponential of C_sigma(t).
    theta : FittedLaw or None
        Power law of P(x).
    """

    curves: list[Curve]
    decay: FittedLaw | None
    theta: FittedLaw | None = None


def measure_fields(
    runs: Sequence[RunFile], communicator: Communicator | None
) -> FieldResults | None:
    """Measure the stress field of replicas; None with too few frames.  Collective."""
    run = runs[0]
    if not all(run.has(STRESS) for run in runs):
        return None
    clock = run.clock(STRESS)
    lags = sliding_lags(clock, MOST_ORIGINS)
    if clock.time.size < FEWEST_FRAMES or not lags:
        return None
    shares = (0, 1) if communicator is None else (communicator.rank, communicator.size)
    yield_stress, sites = run.parameter("model", "yield_stress", 1.0), run.shape[0] * run.shape[1]
    one_threshold = run.parameter("model", "thresholds") == "uniform"
    has_distances = run.parameter("model", "events") == "instantaneous" and (
        one_threshold or all(run.has("fields/threshold") for run in runs)
    )
    found = []
    for one in runs:
        correlation = Autocorrelation(clock.time.size, lags)
        density = StressDistribution(clock.time.size, yield_stress)
        distances = DistanceDistribution(clock.time.size, sites)
        found.append((correlation, density, distances))
        add_strips(field_strips(one, "stress", *shares), [correlation, density], communicator)
        if has_distances:
            add_strips(distance_strips(one, *shares), [distances], communicator)
    correlation, density, distances = found[0]
    if len(runs) > 1:
        for first, *others in zip(*found, strict=True):
            first.join(others)
    correlation.columns = sites
    curve = correlation.result("stress_correlation", autocorrelation.STRESS, subtract_mean=True)
    results = FieldResults([density.result(), curve], fit_stretched_exponential(curve))
    if not has_distances:
        return results
    return replace(results, curves=[*results.curves, distances.result()], theta=distances.fit())
