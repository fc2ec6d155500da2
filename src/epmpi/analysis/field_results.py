"""Results from the frames of the stress field: P(sigma), P(x) and C_sigma(t)."""

from __future__ import annotations

from collections.abc import Sequence

from epmpi.analysis import autocorrelation
from epmpi.analysis.autocorrelation import Autocorrelation
from epmpi.analysis.curve import Results
from epmpi.analysis.distances import DistanceDistribution
from epmpi.analysis.lags import sliding_lags
from epmpi.analysis.pooling import summed
from epmpi.analysis.run_file import RunFile
from epmpi.analysis.stress import StressDistribution, fit_stretched_exponential
from epmpi.analysis.strips import distance_strips, field_strips
from epmpi.analysis.structure_factor import MOST_ORIGINS
from epmpi.parallel import Communicator

STRESS = "fields/stress"
FEWEST_FRAMES = 16


def measure_fields(
    runs: Sequence[RunFile], communicator: Communicator | None = None
) -> Results | None:
    """Measure P(sigma), C_sigma(t) and, of instantaneous events, P(x) of replicas.  Collective.

    None with too few frames.
    """
    communicator = communicator or Communicator()
    run = runs[0]
    if not all(run.has(STRESS) for run in runs):
        return None
    clock = run.clock(STRESS)
    frames, lags = clock.time.size, sliding_lags(clock, MOST_ORIGINS)
    if frames < FEWEST_FRAMES or not lags:
        return None
    share = communicator.rank, communicator.size
    yield_stress = run.parameter("model", "yield_stress", 1.0)
    density, correlation = summed(
        runs,
        lambda: [StressDistribution(frames, yield_stress), Autocorrelation(frames, lags)],
        lambda run: field_strips(run, "stress", *share),
        communicator,
    )
    curve = correlation.result("stress_correlation", autocorrelation.STRESS, subtract_mean=True)
    curves = [density.result(), curve]
    laws = {"stress_correlation": fit_stretched_exponential(curve)}
    one_threshold = run.parameter("model", "thresholds") == "uniform"
    if run.parameter("model", "events") == "instantaneous" and (
        one_threshold or all(run.has("fields/threshold") for run in runs)
    ):
        sites = run.shape[0] * run.shape[1]
        [distances] = summed(
            runs,
            lambda: [DistanceDistribution(frames, sites)],
            lambda run: distance_strips(run, *share),
            communicator,
        )
        curves.append(distances.result())
        laws["distance_distribution"] = distances.fit()
    return Results.of(curves, laws)
