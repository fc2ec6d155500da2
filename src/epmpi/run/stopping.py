"""Polls of the wall clock, and the stop of a run: time limits and signals.

The clock is monotonic, so that a change of the time of day stops no run.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, Self

from epmpi.host.signals import SIGNALS, is_handled, take_received
from epmpi.parallel import Communicator
from epmpi.run.insistence import ASKING, SECOND, Insistence

LOOK_INTERVAL = 0.2  # seconds between two polls of the clock
PUBLISH_INTERVAL = 20.0  # seconds between publications; longer if they took more than
PUBLISHING = 0.02  # this fraction of the time
MOST_STEPS = 2**40  # between two polls, where steps without events take no time
RESERVE = 1.0  # seconds before a time limit, beside two checkpoints and two polls
REMEMBERED = 3  # last checkpoints whose times count: one slowed by a busy disk is forgotten
TIME_LIMIT, INTERRUPT = "time limit", "SIGINT"  # reasons of a stop


class Interrupted(KeyboardInterrupt):
    """A run was stopped with Ctrl-C, with a checkpoint; a loop around it should stop too.

    Parameters
    ----------
    directory : Path
        RUN.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(f"stopped (SIGINT), with a checkpoint in {directory}")
        self.directory = directory


class StopSignals:
    """Record of the `SIGNALS`, which then do not end the process; use it in a `with` statement.

    A signal that the command line has recorded counts too; see `epmpi.host.signals`.  A second
    SIGINT or SIGTERM interrupts at once, if it comes `SECOND` later: a launcher may deliver one
    Ctrl-C twice.  SIGHUP, sent when a terminal is closed, stays ignored under nohup.  Outside the
    main thread, where Python allows no handlers, nothing is recorded.  If the run waits for a dead
    rank, the second signal ends the process; see `Insistence`.

    Attributes
    ----------
    own : int
        Number of the last signal to this process; 0 if there was none.
    """

    def __init__(self) -> None:
        self.own = 0
        self._asked = float("inf")  # time of the first SIGINT or SIGTERM
        self._before: dict[int, Any] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in filter(is_handled, SIGNALS):
                self._before[number] = signal.signal(number, self._note)
            self.own = take_received() or self.own
            self._open.enter_context(Insistence())
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.close()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def received(self) -> int:
        """Number of the last signal that counts; 0 if there was none."""
        return self.own

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.own = number
        if number in ASKING:
            if time.monotonic() > self._asked + SECOND:
                raise KeyboardInterrupt
            self._asked = min(self._asked, time.monotonic())


def time_limit(walltime: float) -> float:
    """Return the time limit of a run that begins now, by the monotonic clock; infinite for none.

    Parameters
    ----------
    walltime : float
        Seconds from now, beside what the batch system leaves; 0 for no limit of its own.
    """
    given = [seconds for seconds in (walltime, slurm_seconds_left()) if seconds]
    return time.monotonic() + min(given, default=float("inf"))


class Decision(NamedTuple):
    """The next actions of all ranks."""

    stop: str  # reason, or empty
    checkpoint: bool
    publish: bool
    next_look: int  # step at which to decide again


class Pace:
    """Decisions, alike on all ranks, on when a run publishes, writes a checkpoint and stops.

    Parameters
    ----------
    signals : StopSignals
        Of this rank.
    limit : float
        See `time_limit`; that of the root is used.
    checkpoint_every : float
        Seconds; 0 for never.
    clock : mapping
        Returned by `clock` of the earlier part of the run, or empty.
    runs : int
        Number of runs that stop together, each with a checkpoint.
    """

    def __init__(
        self,
        communicator: Communicator,
        signals: StopSignals,
        limit: float,
        checkpoint_every: float,
        clock: Mapping[str, float],
        runs: int = 1,
    ) -> None:
        self.communicator = communicator
        self.signals = signals
        self.limit = limit
        self.every = checkpoint_every or float("inf")
        self.warmup_time = clock.get("warmup_time", 0.0)
        self._runs = runs
        self._earlier = clock.get("wall_time", 0.0)
        # The times of an earlier part may not claim more than a quarter of the time of this one.
        most = (limit - time.monotonic()) / (8 * runs)
        self._checkpoints = deque([clock.get("checkpoint_time", 0.0)], maxlen=REMEMBERED)
        self._checkpoints[0] = max(0.0, min(self._checkpoints[0], most))
        self._between: deque[float] = deque(maxlen=2)  # seconds between the last polls
        self._publishing = 0.0  # seconds of a publication
        self._start = self._published = self._saved = self._looked = time.monotonic()
        self._steps = 1  # between polls
        self._decided: tuple[int, Decision] | None = None  # the last step and decision

    @property
    def wall_time(self) -> float:
        """Seconds of the run so far, with its earlier parts."""
        return self._earlier + time.monotonic() - self._start

    def clock(self) -> dict[str, float]:
        """Return what a later part needs: seconds so far, of the warm-up, of a checkpoint."""
        return {
            "wall_time": self.wall_time,
            "warmup_time": self.warmup_time,
            "checkpoint_time": max(self._checkpoints),
        }

    def saved(self, began: float) -> None:
        """Record a checkpoint that was begun at a time of the monotonic clock."""
        self._saved = self._published = time.monotonic()
        self._checkpoints.append(self._saved - began)

    def published(self, seconds: float) -> None:
        """Record the duration of a publication."""
        self._published = time.monotonic()
        self._publishing = seconds * self._runs

    def decide(self, step: int) -> Decision:
        """Return the decision after a step, the same for all runs in step.  Collective."""
        if self._decided is not None and self._decided[0] == step:
            return self._decided[1]
        received = self.communicator.max(self.signals.received)
        now = time.monotonic()
        since, self._looked = max(now - self._looked, 1e-6), now
        steps = int(self._steps * min(2.0, LOOK_INTERVAL / since))
        self._steps = min(max(1, steps), MOST_STEPS)
        self._between.append(since)
        checkpoints = self._publishing + 2 * self._runs * max(self._checkpoints)
        reserve = RESERVE + checkpoints + 2 * min(self._between)
        stop = signal.Signals(received).name if received else ""
        if self.limit - now < reserve:
            stop = stop or TIME_LIMIT
        decision = Decision(
            stop,
            now - self._saved >= self.every,
            now - self._published >= max(PUBLISH_INTERVAL, self._publishing / PUBLISHING),
            step + self._steps,
        )
        self._decided = step, Decision(*self.communicator.broadcast(decision))
        return self._decided[1]


def slurm_seconds_left() -> float | None:
    """Return the seconds that SLURM leaves this job, or None outside a job or without a limit."""
    if "SLURM_JOB_ID" not in os.environ:
        return None
    end = os.environ.get("SLURM_JOB_END_TIME", "")
    if end.isdigit() and (left := float(end) - time.time()) > 0:
        return left  # an end in the past is that of another job, whose environment was inherited
    if shutil.which("squeue") is None:
        return None
    command = ["squeue", "-h", "-j", os.environ["SLURM_JOB_ID"], "-o", "%L"]
    try:
        output = subprocess.run(command, capture_output=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return slurm_duration(output.decode("ascii", "replace").strip())


def slurm_duration(text: str) -> float | None:
    """Return the seconds of [days-][[hours:]minutes:]seconds; None for UNLIMITED and the like."""
    found = re.fullmatch(r"(?:(\d+)-)?(?:(?:(\d+):)?(\d+):)?(\d+)", text)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(((24 * days + hours) * 60 + minutes) * 60 + seconds)
