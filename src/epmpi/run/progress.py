"""Progress of a long run: speed, activity and time left, on the root only."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from typing import Protocol, TextIO, cast

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from epmpi.config import Configuration
from epmpi.host.console import Forgiving

LINE_INTERVAL = 10.0  # seconds between lines where the output is not a terminal
BAR_INTERVAL = 0.2  # seconds between updates of a bar
SPEED_WINDOW = 5.0  # seconds over which the speed is measured


Speed = Callable[[float], str]


def speed_of(configuration: Configuration) -> Speed:
    """Return a function that formats a speed given in steps per second.

    In site updates; for the exact clock, which updates only sites with events, in units of time.
    """
    sites, step = math.prod(configuration.lattice.shape), configuration.time.step
    if configuration.time.clock == "exact":
        return lambda rate: f"{rate * step:.3g} tau/s"
    return lambda rate: f"{rate * sites / 1e6:.1f} M site updates/s"


class ProgressListener(Protocol):
    """Receiver of the progress of a run."""

    def begin(self, step: int, timed_from: int) -> None:
        """Receive the first step, and the first after which none waits for a compiler."""
        ...

    def expect(self, total: int) -> None:
        """Name the last step of the run, where it becomes known on the way."""
        ...

    def update(self, step: int, phase: str, activity: float | None) -> None:
        """Tell the step reached, the phase of the run, and the last activity measured."""
        ...


class RunProgress:
    """A bar on a terminal, plain lines elsewhere, nothing on other ranks.

    Parameters
    ----------
    speed : function
        Formats a speed given in steps per second; see `speed_of`.
    shown : bool
        Whether to print anything.
    """

    def __init__(self, speed: Speed, *, shown: bool = True, stream: TextIO | None = None) -> None:
        stream = cast("TextIO", Forgiving(stream or sys.stderr))
        self._total = 0  # steps of the whole run; not known yet
        self._words = speed
        self._shown = shown
        self._stream = stream
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._start = self._last = time.monotonic()
        self._first_step = self._timed_from = 0
        self._timed = False  # whether the clock has started
        self._window = (self._start, 0)
        self._speed = 0.0
        if shown and stream.isatty():
            self._bar = Progress(
                TextColumn("{task.description:<8}"),
                BarColumn(bar_width=None),
                TextColumn("{task.percentage:3.0f} %"),
                TextColumn("{task.fields[speed]}"),
                TextColumn("activity {task.fields[activity]}"),
                TextColumn("left"),
                TimeRemainingColumn(elapsed_when_finished=True, compact=True),
                console=Console(file=stream),
            )

    def __enter__(self) -> RunProgress:
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the bar on the screen."""
        if self._bar is not None:
            self._bar.stop()

    def expect(self, total: int) -> None:
        """Name the last step of the run, where it becomes known on the way."""
        self._total = total
        if self._bar is not None:
            self._bar.update(self._task, total=total)

    def begin(self, step: int, timed_from: int) -> None:
        """Start the bar at the first step of the run.

        The clock starts at step `timed_from`: those before it may wait for the compiler.
        """
        self._timed, self._timed_from = False, timed_from
        self._start_clock(time.monotonic(), step)
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task(
                "start", total=self._total or None, speed="", activity=""
            )

    def update(self, step: int, phase: str, activity: float | None) -> None:
        """Tell the step reached, the phase of the run, and the last activity measured."""
        if not self._shown:
            return
        now = time.monotonic()
        last = step == self._total
        if not self._timed and not last:
            self._timed = step >= self._timed_from
            self._start_clock(now, step)
            return
        if not last and now - self._last < (BAR_INTERVAL if self._bar else LINE_INTERVAL):
            return
        self._last = now
        self._measure(now, step)
        text = "-" if activity is None else f"{activity:.3g}"
        speed = self._words(self._speed)
        if self._bar is not None:
            self._bar.update(
                self._task, completed=step, description=phase, speed=speed, activity=text
            )
            return
        rate = (step - self._first_step) / max(now - self._start, 1e-9)
        left = (self._total - step) / rate if rate > 0 else float("nan")
        reached, remaining = f"step {step}", ""
        if self._total:
            reached = f"{100 * step / self._total:.0f} % ({step}/{self._total} steps)"
            remaining = f", {left:.0f} s left"
        self._stream.write(f"{phase}: {reached}, {speed}, activity {text}{remaining}\n")
        self._stream.flush()

    def _start_clock(self, now: float, step: int) -> None:
        self._start = self._last = now
        self._first_step = step
        self._window = (now, step)

    def _measure(self, now: float, step: int) -> None:
        """Measure the speed over the last seconds, in steps per second."""
        since, before = self._window
        if now > since and step > before:
            self._speed = (step - before) / (now - since)
        if now - since > SPEED_WINDOW:
            self._window = (now, step)
