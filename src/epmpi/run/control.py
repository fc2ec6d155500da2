"""Run control: the signals, time limit and progress of a run, its own or shared with others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from epmpi.run.progress import ProgressListener, RunProgress, Speed
from epmpi.run.stopping import Pace, Signals, StopSignals, TimeLimit


@dataclass(frozen=True)
class RunControl:
    """Sources of a stop, and the receiver of the progress.

    Attributes
    ----------
    signals : Signals
    limit : TimeLimit
    listener : ProgressListener
    pace : Pace or None
        Shared by runs in step, so that all do the same at the same steps; None where the run has
        its own.
    """

    signals: Signals
    limit: TimeLimit
    listener: ProgressListener
    pace: Pace | None = None


@contextmanager
def own_control(
    walltime: float, speed: Speed, *, is_root: bool, shown: bool
) -> Iterator[RunControl]:
    """Give the control of a run that shares none, until its end.

    Parameters
    ----------
    walltime : float
        Seconds; 0 for no limit of its own.
    speed : function
        See `progress.speed_of`.
    is_root : bool
        Whether this rank's limit counts.
    shown : bool
        Whether the root prints speed, activity and time left.
    """
    limit = TimeLimit(walltime) if is_root else TimeLimit.after(float("inf"))
    with StopSignals() as signals, RunProgress(speed, shown=shown and is_root) as listener:
        yield RunControl(signals, limit, listener)
