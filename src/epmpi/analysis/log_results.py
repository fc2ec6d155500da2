"""Results from the log of events of a run: persistence, chi_4, S_4, bursts, avalanches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from epmpi.analysis.avalanches import (
    Avalanches,
    measure_avalanches,
    measure_threshold_avalanches,
)
from epmpi.analysis.bursts import measure_share
from epmpi.analysis.curve import Curve, FittedLaw, Results
from epmpi.analysis.distances import measure_weakest
from epmpi.analysis.events import Events
from epmpi.analysis.four_point import measure_s_4
from epmpi.analysis.persistence import LONGEST, measure_persistence
from epmpi.analysis.run_file import RunFile

FEWEST = 100  # events
GAP = 10.0  # 1 / attempt_rate: a site beyond its threshold waits longer with a chance of e^-10
MEAN_SIZES = (10, 100, 1000)  # of avalanches below thresholds of the extremal driver
S_4_LAGS = {"event_s_4_half": 0.5, "event_s_4": 1.0, "event_s_4_double": 2.0}  # in tau_alpha
SMALLEST = 10.0  # size that a law is fitted from there: smaller ones show the lattice


def measure_log(runs: Sequence[RunFile]) -> Results | None:
    """Measure the logs of replicas; None where one has none, or fewer than `FEWEST` events."""
    if not all(run.has_events for run in runs):
        return None
    logs, shape = [run.events() for run in runs], runs[0].shape
    if min(map(len, logs)) < FEWEST:
        return None
    duration = min(float(events.start.max()) for events in logs)
    persistence = measure_persistence(logs, shape, duration)
    curves = [persistence.curve(), persistence.chi_4()]
    time = curves[0].parameters["relaxation_time"]
    if np.isfinite(time):
        lags = {name: share * time for name, share in S_4_LAGS.items()}
        seen = {name: lag for name, lag in lags.items() if lag <= LONGEST * duration}
        curves += measure_s_4(logs, shape, duration, seen)
    gap = GAP / runs[0].parameter("model", "attempt_rate", 1.0)
    laws: dict[str, FittedLaw | None] = {}
    if runs[0].parameter("model", "activation") == "extremal":
        if all(events.distance is not None for events in logs):
            curves.append(measure_weakest(logs))
            _add(curves, laws, [_below(logs, shape, size) for size in MEAN_SIZES], SMALLEST)
        return Results.of(curves, laws)
    curves.append(measure_share(logs, gap))
    avalanches = measure_avalanches(logs, shape, gap)
    _add(curves, laws, [avalanches], 1.0)
    return Results.of(curves, laws)


def _below(logs: Sequence[Events], shape: tuple[int, int], size: int) -> Avalanches | None:
    """Return the avalanches below the threshold at which they have a mean size."""
    distances = np.concatenate([events.distance for events in logs])
    threshold = float(np.quantile(distances, 1.0 - 1.0 / size))
    return measure_threshold_avalanches(logs, shape, threshold, f"threshold_{size}")


def _add(
    curves: list[Curve],
    laws: dict[str, FittedLaw | None],
    found: Sequence[Avalanches | None],
    smallest: float,
) -> None:
    """Add the curves of avalanches, and the laws of their sizes from the smallest one on."""
    for avalanches in found:
        if avalanches is None:
            continue
        sizes = avalanches.distribution()
        rest = [avalanches.size_of_duration(), avalanches.sites_of_size()]
        curves += [sizes, *(curve for curve in rest if curve is not None)]
        laws[sizes.name] = avalanches.fit(smallest)
