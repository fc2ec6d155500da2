"""What a run owns alone, or shares with others that go on beside it: signals, time, progress."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from epmpi.run.progress import RunProgress, Speed, Told
from epmpi.run.stopping import Pace, Signals, StopSignals, TimeLimit


@dataclass(frozen=True)
class Surroundings:
    """What tells a run to stop, and what it tells.

    Attributes
    ----------
    signals : Signals
    limit : TimeLimit
    told : Told
    pace : Pace or None
        Shared by runs that go on in step, so that all do the same at the same steps; None where the
        run has its own.
    """

    signals: Signals
    limit: TimeLimit
    told: Told
    pace: Pace | None = None


@contextmanager
def alone(walltime: float, speed: Speed, *, is_root: bool, shown: bool) -> Iterator[Surroundings]:
    """Give the surroundings of a run that shares none, until its end.

    Parameters
    ----------
    walltime : float
        Seconds; 0 for no limit of its own.
    speed : function
        See `progress.speed_of`.
    is_root : bool
        Whether this rank's limit counts.
    shown : bool
        Whether the root tells speed, activity and time left.
    """
    limit = TimeLimit(walltime) if is_root else TimeLimit.after(float("inf"))
    with StopSignals() as signals, RunProgress(speed, shown=shown and is_root) as told:
        yield Surroundings(signals, limit, told)
