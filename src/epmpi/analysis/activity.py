"""The series whose averages are taken; that of the activity is exact in time where a run knows it.

The exact clock adds up how long sites are active.  The differences of that sum between two outputs
are averages of the activity over all of the time between them, without the error of sampling it at
the outputs alone.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.reading import RunFile

ACTIVE_TIME = "active_time"
AT_OUTPUTS = "activity_at_outputs"  # of runs whose activity is that over time
SAMPLED = "fraction of active sites at the outputs"
OVER_TIME = (
    "fraction of active sites, averaged over all of the time between two outputs: difference of "
    "/observables/active_time over that time and the number of sites; no error of sampling"
)


def is_over_time(run: RunFile) -> bool:
    """Tell whether the activity of a run is known as its exact average between outputs."""
    return run.has(f"observables/{ACTIVE_TIME}") and run.series(ACTIVE_TIME)[0].time.size > 1


def course(
    run: RunFile, name: str, *, warmup: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the times and values of the series that an average is taken of, shape (samples,).

    Parameters
    ----------
    name : str
        As under /observables, or `AT_OUTPUTS`.  Of the activity over time, the times are the
        middles between outputs.
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
    """Return what the averages of these names are averages of, where more than one is meant."""
    exact = AT_OUTPUTS in (found := set(names))
    known = {"activity": OVER_TIME if exact else SAMPLED, AT_OUTPUTS: SAMPLED}
    return {name: text for name, text in known.items() if name in found}
