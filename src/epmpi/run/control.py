"""Run control: the pace and the progress of a run, its own or shared with others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from epmpi.config import Configuration
from epmpi.parallel import Communicator
from epmpi.run.progress import ProgressListener, RunProgress, speed_of
from epmpi.run.stopping import Pace, StopSignals, time_limit
from epmpi.run.watchdog import Watchdog


@dataclass(frozen=True)
class RunControl:
    """What decides on output and stops, and the receivers of the progress.

    Attributes
    ----------
    pace : Pace
        Runs in step share one, so that all do the same at the same steps.
    """

    pace: Pace
    listener: ProgressListener
    watchdog: Watchdog


@contextmanager
def own_control(
    configuration: Configuration,
    communicator: Communicator,
    clock: Mapping[str, float],
    *,
    shown: bool,
) -> Iterator[RunControl]:
    """Give the control of a run that shares none, until its end.

    Parameters
    ----------
    communicator : Communicator
        The time limit of its root counts.
    clock : mapping
        Of the earlier parts of the run; see `Pace`.
    shown : bool
        Whether the root prints speed, activity and time left.
    """
    run, is_root = configuration.run, communicator.is_root
    limit = time_limit(run.walltime) if is_root else float("inf")
    with (
        StopSignals() as signals,
        RunProgress(speed_of(configuration), shown=shown and is_root) as listener,
        Watchdog(communicator, limit=run.stall_limit) as watchdog,
    ):
        every = configuration.output.checkpoint_every
        yield RunControl(Pace(communicator, signals, limit, every, clock), listener, watchdog)
