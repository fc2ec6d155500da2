"""Results from the waiting times of a run: psi, persistence, random walk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from epmpi.analysis.curve import Results
from epmpi.analysis.renewal import predict
from epmpi.analysis.run_file import RunFile
from epmpi.analysis.waiting_times import WaitingTimes

HISTOGRAM = "histograms/waiting_times"
SHORTEST = 10.0  # restructuring times: psi of shorter waits has a shoulder, echoes of one event
FEWEST = 100  # waits


@dataclass(frozen=True)
class EventResults(Results):
    """Waiting times between activations of a site: psi(tau_ev), persistence, the random walk."""

    waits: WaitingTimes


def measure_events(runs: Sequence[RunFile]) -> EventResults | None:
    """Measure the waiting times of replicas; None where fewer than `FEWEST` were counted."""
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
        waits = WaitingTimes.from_cumulative(edges * step, histograms[0], float(clock.time[-1]))
    else:
        waits = WaitingTimes(edges * step, counts, float(clock.time[-1]))
    shortest = SHORTEST * run.parameter("model", "restructuring_time", 1.0)
    curves = [waits.density(), waits.persistence(), *predict(waits)]
    law = waits.fit(shortest)
    return EventResults(curves, {} if law is None else {"waiting_times": law}, waits)
