"""Results from the log of events of a run: persistence, chi_4, S_4, avalanches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from epmpi.analysis.avalanches import measure_avalanches
from epmpi.analysis.curve import Curve, FittedLaw
from epmpi.analysis.persistence import measure_persistence, measure_s_4
from epmpi.analysis.reading import RunFile

FEWEST = 100  # events
GAP = 10.0  # 1 / attempt_rate: a site beyond its threshold waits longer with a chance of e^-10


@dataclass(frozen=True)
class LogResults:
    """Curves and laws from the log of events.

    Attributes
    ----------
    curves : list of Curve
    sizes : FittedLaw or None
        Of P(S).
    """

    curves: list[Curve]
    sizes: FittedLaw | None

    def quantities(self) -> list[tuple[str, float, float, str]]:
        """Return (what, value, error, unit) of the numbers that belong to the curves."""
        named = {curve.name: curve.parameters for curve in self.curves}
        asked = (
            ("tau_alpha: persistence 1/2", "event_persistence", "relaxation_time", "tau"),
            ("chi_4 of the persistence: peak", "event_chi_4", "peak", "1"),
            ("chi_4 of the persistence: time of the peak", "event_chi_4", "peak_time", "tau"),
        )
        return [
            (what, named[curve][key], named[curve][f"{key}_error"], unit)
            for what, curve, key, unit in asked
            if np.isfinite(named[curve][key])
        ]


def measure_log(runs: Sequence[RunFile]) -> LogResults | None:
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
        curves.append(measure_s_4(logs, shape, duration, time))
    gap = GAP / runs[0].parameter("model", "attempt_rate", 1.0)
    avalanches = measure_avalanches(logs, shape, gap)
    if avalanches is None:
        return LogResults(curves, None)
    curves += [
        avalanches.distribution(), avalanches.size_of_duration(), avalanches.sites_of_size(),
    ]  # fmt: skip
    return LogResults(curves, avalanches.fit())
