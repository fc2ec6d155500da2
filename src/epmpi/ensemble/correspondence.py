"""What groups of ranks that run different replicas tell each other: progress, signals, the end.

Nobody waits for anybody: all messages go to the root or come from it, and are looked for when a
rank looks at the clock.  A signal that reaches one rank stops the replicas of all.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from epmpi.parallel import Communicator, Messages
from epmpi.run.progress import RunProgress
from epmpi.run.stopping import StopSignals

PAUSE = 0.02  # seconds between two looks of a rank that has nothing left to run

READY, OVER, GONE = "ready", "over", "gone"  # nothing left to run; nobody has; no more messages


class Progress(NamedTuple):
    """How far a replica is."""

    replica: int
    step: int  # since this job began
    total: int  # of this job; 0: not known yet
    phase: str
    activity: float | None


class Correspondence:
    """The messages of one rank; use it in a `with` statement.  Making it is collective.

    It stands for the rank's stop signals: `received` is that of any rank.

    Parameters
    ----------
    communicator : Communicator
        All ranks of the ensemble.
    heads : list of int
        The first rank of each group.
    told : EnsembleProgress
        On the root, whom the progress of all replicas is told.
    """

    def __init__(
        self, communicator: Communicator, heads: list[int], told: EnsembleProgress
    ) -> None:
        self._communicator = communicator
        self._messages = Messages(communicator)
        self._heads = heads
        self._told = told
        self._signals = StopSignals()
        self._heard = 0  # the signal that another rank has received
        self._passed_on = False
        self._said = {READY: 0, OVER: 0, GONE: 0}  # by how many ranks

    def __enter__(self) -> Correspondence:
        self._signals.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._signals.__exit__(*exception)

    @property
    def received(self) -> int:
        """Number of the last signal that this rank, or another one, has received; 0 if none."""
        self._listen()
        return self._signals.received or self._heard

    def tell(self, progress: Progress) -> None:
        """Tell the root how far a replica is."""
        self._send(0, progress)

    def finish(self) -> None:
        """Wait until no rank has anything left to run, passing on what arrives.  Collective."""
        root, size = self._communicator.is_root, self._communicator.size
        self._send(0, READY)
        while not self._said[OVER]:
            if root and self._said[READY] == size:
                for rank in range(size):
                    self._send(rank, OVER)
            else:
                self._listen()
                time.sleep(PAUSE)
        self._send(0, GONE)
        while root and self._said[GONE] < size:
            self._read()
        self._messages.close()

    def _listen(self) -> None:
        """Take what has arrived, and pass on a signal that is new: by way of the root to all."""
        self._read()
        signal = self._signals.received or self._heard
        if signal and not self._passed_on:
            self._passed_on = True
            for rank in self._heads if self._communicator.is_root else [0]:
                self._send(rank, signal)

    def _send(self, rank: int, message: Progress | int | str) -> None:
        if rank == self._communicator.rank:
            self._take(message)
        else:
            self._messages.send(rank, message)

    def _read(self) -> None:
        for message in self._messages.arrived():
            self._take(message)

    def _take(self, message: Progress | int | str) -> None:
        if isinstance(message, Progress):
            self._told.take(message)
        elif isinstance(message, str):
            self._said[message] += 1
        else:
            self._heard = self._heard or message


class ReplicaProgress:
    """Tells the root how far one replica is, as `RunProgress` would tell the user.

    Parameters
    ----------
    replica : int
    letters : Correspondence
    telling : bool
        True on one rank of the group.
    """

    def __init__(self, replica: int, letters: Correspondence, *, telling: bool) -> None:
        self._replica = replica
        self._letters = letters
        self._telling = telling
        self._first = self._total = 0

    def begin(self, step: int) -> None:
        """Name the step that the run starts from."""
        self._first = step

    def expect(self, total: int) -> None:
        """Name the last step of the run."""
        self._total = total

    def update(self, step: int, phase: str, activity: float | None) -> None:
        """Tell the step reached, the phase of the run, and the last activity measured."""
        if self._telling:
            total = max(self._total - self._first, 0)
            state = Progress(self._replica, step - self._first, total, phase, activity)
            self._letters.tell(state)


class EnsembleProgress:
    """One bar for all replicas: their steps added up, the mean of their activities.

    Parameters
    ----------
    told : RunProgress
    replicas : int
        That this job runs.
    """

    def __init__(self, told: RunProgress, replicas: int) -> None:
        self._told = told
        self._replicas = replicas
        self._latest: dict[int, Progress] = {}

    def take(self, progress: Progress) -> None:
        """Take note of how far a replica is."""
        self._latest[progress.replica] = progress
        states = list(self._latest.values())
        if all(state.total for state in states):
            # Those to come are taken to be as long as the longest of these.
            totals = [state.total for state in states]
            self._told.expect(sum(totals) + (self._replicas - len(totals)) * max(totals))
        activities = [state.activity for state in states if state.activity is not None]
        activity = sum(activities) / len(activities) if activities else None
        self._told.update(sum(state.step for state in states), progress.phase, activity)
