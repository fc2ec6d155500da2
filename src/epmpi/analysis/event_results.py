"""Results from the waiting times of a run: psi, persistence, random walk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from epmpi.analysis.curve import Results
from epmpi.analysis.renewal import predict
from epmpi.analysis.run_file import RunFile
from epmpi.analysis.waiting_times import WaitingTimes

HISTOGRAM = "histograms/waiting_times"
SHORTEST = 10.0  # restructuring times: psi of shorter waits has a shoulder, echoes of one event
FEWEST = 100  # waits


def measure_waits(runs: Sequence[RunFile]) -> WaitingTimes | None:
    """Return the waiting times of replicas; None where fewer than `FEWEST` were counted."""
    run = runs[0]
    if not all(run.has(HISTOGRAM) for run in runs):
        return None
    histograms = [run.frames(HISTOGRAM) for run in runs]
    edges = np.asarray(run.parameter("waiting_times", "edges"), dtype=np.float64)
    if min(map(len, histograms)) < 2:
        return None
    counts = np.stack([cumulative[-1] - cumulative[0] for cumulative in histograms])
    if counts.sum() < FEWEST:
        return None
    clock = run.clock(HISTOGRAM)
    step = (clock.time[-1] - clock.time[0]) / (clock.step[-1] - clock.step[0])
    if len(runs) == 1:
        return WaitingTimes.from_cumulative(edges * step, histograms[0], float(clock.time[-1]))
    return WaitingTimes(edges * step, counts, float(clock.time[-1]))


def results_of_waits(waits: WaitingTimes, restructuring_time: float) -> Results:
    """Return psi(tau_ev) with its law, the persistence and the random walk."""
    curves = [waits.density(), waits.persistence(), *predict(waits)]
    return Results.of(curves, {"waiting_times": waits.fit(SHORTEST * restructuring_time)})
