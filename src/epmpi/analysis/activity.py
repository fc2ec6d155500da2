"""Series to average; the activity of an exact-clock run is an exact average over time.

The exact clock adds up how long sites are active.  The difference of that sum between two outputs
gives the activity averaged over the time between them, without the error of sampling.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.run_file import RunFile

ACTIVE_TIME = "active_time"
AT_OUTPUTS = "activity_at_outputs"  # the sampled activity, where the run has the exact one too
SAMPLED = "fraction of active sites at the outputs"
OVER_TIME = (
    "fraction of active sites, averaged over all of the time between two outputs: difference of "
    "/observables/active_time over that time and the number of sites; no error of sampling"
)


def is_over_time(run: RunFile) -> bool:
    """Tell whether a run has the exact average of its activity between outputs."""
    return run.has(f"observables/{ACTIVE_TIME}") and run.series(ACTIVE_TIME)[0].time.size > 1


def series_of(
    run: RunFile, name: str, *, warmup: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the times and values of a series to average, shape (samples,).

    Parameters
    ----------
    name : str
        As under /observables, or `AT_OUTPUTS`.  The activity averaged over time has the midpoints
        between outputs as its times.
    warmup : bool
        Return the warm-up instead (its time runs from the start of the run).
    """
    if name == "activity" and is_over_time(run):
        clock, active = run.series(ACTIVE_TIME, warmup)
        length, width = run.shape
        middle = (clock.time[1:] + clock.time[:-1]) / 2
        return middle, np.diff(active) / (np.diff(clock.time) * length * width)
    clock, value = run.series("activity" if name == AT_OUTPUTS else name, warmup)
    return clock.time, value


def definitions(names: Iterable[str]) -> dict[str, str]:
    """Return the definitions of those averages whose names are ambiguous."""
    exact = AT_OUTPUTS in (found := set(names))
    known = {"activity": OVER_TIME if exact else SAMPLED, AT_OUTPUTS: SAMPLED}
    return {name: text for name, text in known.items() if name in found}
