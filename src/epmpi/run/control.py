"""Run control: the signals, time limit and progress of a run, its own or shared with others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from epmpi.config import Configuration
from epmpi.parallel import Communicator
from epmpi.run.progress import ProgressListener, RunProgress, speed_of
from epmpi.run.stopping import Pace, Signals, StopSignals, TimeLimit
from epmpi.run.watchdog import Watchdog


@dataclass(frozen=True)
class RunControl:
    """Sources of a stop, and the receivers of the progress.

    Attributes
    ----------
    signals : Signals
    limit : TimeLimit
    listener : ProgressListener
    watchdog : Watchdog
    pace : Pace or None
        Shared by runs in step, so that all do the same at the same steps; None where the run has
        its own.
    """

    signals: Signals
    limit: TimeLimit
    listener: ProgressListener
    watchdog: Watchdog
    pace: Pace | None = None


@contextmanager
def own_control(
    configuration: Configuration, communicator: Communicator, *, shown: bool
) -> Iterator[RunControl]:
    """Give the control of a run that shares none, until its end.

    Parameters
    ----------
    configuration : Configuration
    communicator : Communicator
        The time limit of its root counts.
    shown : bool
        Whether the root prints speed, activity and time left.
    """
    run, is_root = configuration.run, communicator.is_root
    limit = TimeLimit(run.walltime) if is_root else TimeLimit.after(float("inf"))
    with (
        StopSignals() as signals,
        RunProgress(speed_of(configuration), shown=shown and is_root) as listener,
        Watchdog(communicator, limit=run.stall_limit) as watchdog,
    ):
        yield RunControl(signals, limit, listener, watchdog)
