"""Coordination of simultaneous replicas: stop signals, one line of progress, a common end.

Requirements on replicas that share out the ranks:

- each is an ordinary run: same bits, files and keys as alone, on any number of ranks (`replicas`);
- a signal to any rank stops all of them, each with its checkpoint, and so does the time limit;
- one line of progress for all;
- `resume` continues those that were stopped and starts those that had not begun (`directory`);
- one that fails does not affect the others, and its error is printed at the end (`ensemble`);
- those of one GPU take their steps as one batch (`replicas`).

No replica waits for another: they end, fail and write at their own times, without collective calls.
Instead the ranks gather records of all ranks repeatedly, and read them where a run polls the clock:
a busy rank delays the information of the others, not their work.
"""

from __future__ import annotations

import time

import numpy as np

from epmpi.parallel import Communicator, RollingGather
from epmpi.run.progress import RunProgress
from epmpi.run.stopping import StopSignals
from epmpi.run.watchdog import Watchdog

PAUSE = 0.02  # seconds between two polls of a rank that has nothing left to run
RECORD = np.dtype(
    [
        ("signal", np.int64),  # that this rank has received; 0 if none
        ("ready", np.int64),  # 1: nothing left to run
        ("begun", np.int64),  # replicas that have taken a step in this job, and of these:
        ("measuring", np.int64),
        ("endless", np.int64),  # whose end is not known yet
        ("steps", np.int64),  # taken in this job, of all
        ("total", np.int64),  # to be taken in this job, of all
        ("longest", np.int64),  # to be taken, of one
        ("measured", np.int64),  # whose activity is known
        ("activity", np.float64),  # of these, added up
    ]
)


class ReplicaProgress:
    """Progress of one replica, a `ProgressListener` that prints nothing."""

    def __init__(self) -> None:
        self._first = 0
        self.step = self.total = 0  # of this job; a total of 0: not known yet
        self.phase = ""
        self.activity: float | None = None

    def begin(self, step: int, timed_from: int) -> None:
        """Name the step that the run starts from."""
        self._first = step

    def expect(self, total: int) -> None:
        """Name the last step of the run."""
        self.total = total - self._first

    def update(self, step: int, phase: str, activity: float | None) -> None:
        """Name the step reached, the phase of the run, and the last activity measured."""
        self.step, self.phase, self.activity = step - self._first, phase, activity


class Together(StopSignals):
    """Signals and progress shared by the ranks of an ensemble; use it in a `with` statement.

    Collective.  What any rank has received counts as a signal.

    Parameters
    ----------
    communicator : Communicator
        All ranks of the ensemble.
    progress : RunProgress
        On the root: receives the progress of all replicas.
    watchdog : Watchdog
        Learns while a rank waits for the others that all of them are alive.
    replicas : int
        Number of replicas that this job runs.
    """

    def __init__(
        self,
        communicator: Communicator,
        progress: RunProgress,
        watchdog: Watchdog,
        replicas: int,
    ) -> None:
        super().__init__()
        self._communicator = communicator
        self._gather = RollingGather(communicator, RECORD)
        self._progress = progress
        self.watchdog = watchdog
        self._replicas = replicas
        self._mine: list[ReplicaProgress] = []
        self._ready = False
        self._steps = 0  # shown to the user

    @property
    def received(self) -> int:
        """Number of the last signal that this rank, or another one, has received; 0 if none."""
        self._poll()
        return self.own or int(self._gather.records["signal"].max())

    def progress(self, *, counted: bool) -> ReplicaProgress:
        """Return a listener for the progress of a replica; it counts on one rank of its group."""
        made = ReplicaProgress()
        if counted:
            self._mine.append(made)
        return made

    def finish(self) -> None:
        """Wait until no rank has anything left to run.  Collective."""
        self._ready = True
        while not self._gather.records["ready"].all():
            if self._poll():
                self.watchdog.alive()
            time.sleep(PAUSE)
        self._gather.close()

    def _poll(self) -> bool:
        """Give and take what is new, without waiting; tell whether all ranks have given it."""
        new = self._gather.look(self._record())
        if new and self._communicator.is_root:
            self._show()
        return new

    def _record(self) -> tuple[float, ...]:
        """Return the record of this rank."""
        begun = [replica for replica in self._mine if replica.phase]
        activities = [replica.activity for replica in begun if replica.activity is not None]
        totals = [replica.total for replica in begun]
        return (
            self.own,
            self._ready,
            len(begun),
            sum(replica.phase == "measure" for replica in begun),
            totals.count(0),
            sum(replica.step for replica in begun),
            sum(totals),
            max(totals, default=0),
            len(activities),
            sum(activities),
        )

    def _show(self) -> None:
        """Show the progress of all replicas: sum of their steps, mean of their activities."""
        records = self._gather.records
        all_of = {name: records[name].sum() for name in RECORD.names or ()}
        if all_of["steps"] == self._steps:
            return
        self._steps = int(all_of["steps"])
        if not all_of["endless"]:
            # Replicas to come are assumed to be as long as the longest of these.
            to_come = self._replicas - all_of["begun"]
            self._progress.expect(int(all_of["total"] + to_come * records["longest"].max()))
        phase = "measure" if all_of["measuring"] == all_of["begun"] else "warm-up"
        measured = all_of["measured"]
        self._progress.update(
            self._steps, phase, float(all_of["activity"]) / measured if measured else None
        )
