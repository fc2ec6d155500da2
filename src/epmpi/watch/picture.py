"""A snapshot of a run or an ensemble as a picture of characters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from epmpi.config import replica_name
from epmpi.watch.ensemble_snapshot import Replicas
from epmpi.watch.snapshot import Snapshot

LEVELS = "▁▂▃▄▅▆▇█"
PLAIN_LEVELS = "_.-:=+*#"  # where the terminal has ASCII only
QUIET = 90.0  # seconds without a publication that raise a warning; runs publish every 20 s
MOST_LINES = 16  # of replicas, those that are running first
LABELS = {"activity": "activity", "stress_variance": "stress variance"}


class Sparkline:
    """A series drawn in one line, as wide as there is space.

    Parameters
    ----------
    values : array, shape (samples,)
        Each character shows the mean of its samples; see `sparkline`.
    """

    def __init__(self, values: NDArray[np.float64]) -> None:
        self.values = values

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        levels = PLAIN_LEVELS if options.ascii_only else LEVELS
        yield Text(sparkline(self.values, options.max_width, levels), no_wrap=True)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(min(8, options.max_width), options.max_width)


def sparkline(values: NDArray[np.float64], width: int, levels: str = LEVELS) -> str:
    """Return a series as at most `width` characters, each the mean of its share of the samples.

    The levels span the second half, where a drift should be visible; an earlier transient beyond
    them is drawn at the lowest or the highest level.

    Parameters
    ----------
    values : array, shape (samples,)
    """
    if values.size == 0 or width < 1:
        return ""
    parts = np.array([part.mean() for part in np.array_split(values, min(width, values.size))])
    later = parts[parts.size // 2 :]
    span = later.max() - later.min()
    height = np.clip((parts - later.min()) / (span or 1.0), 0.0, 1.0)
    return "".join(levels[min(int(h * len(levels)), len(levels) - 1)] for h in height)


def picture(seen: Snapshot, now: float) -> Panel:
    """Return the picture of a run or an ensemble at a time `now`, in seconds since the epoch."""
    grid = Table.grid(padding=(0, 2), expand=True)  # names; lines or bars; numbers
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    grid.add_column(no_wrap=True, justify="right")
    for name, values in seen.series.items():
        grid.add_row(LABELS[name], Sparkline(values), mean_and_error(seen.latest(name)))
    what, done = phase(seen), share(seen)
    if isinstance(seen, Replicas):
        what, done = "replicas", count(seen)
    bar = ProgressBar(total=seen.total, completed=seen.step, pulse=False)
    grid.add_row(what, bar if seen.total else Text(""), done)
    grid.add_row("speed", Text(speed(seen)), left(seen, now))
    if isinstance(seen, Replicas):
        _add_replicas(grid, seen)
    return Panel(grid, title=title(seen), subtitle=news(seen, now), title_align="left")


def _add_replicas(grid: Table, seen: Replicas) -> None:
    """Add a line for each replica."""
    lines = sorted(seen.runs, key=lambda number: (seen.runs[number].has_ended, number))
    for number in sorted(lines[:MOST_LINES]):
        run = seen.runs[number]
        done = phase(run) if run.has_ended else f"{phase(run)}, {share(run)}"
        grid.add_row(replica_name(number), Sparkline(run.series.get("activity", np.zeros(0))), done)
    if len(lines) > MOST_LINES:
        grid.add_row(f"and {len(lines) - MOST_LINES} more", Text(""), "")


def mean_and_error(values: NDArray[np.float64]) -> str:
    """Return the mean with its standard error, where there are two values or more."""
    mean = f"{values.mean():.4g}"
    if values.size < 2:
        return mean
    return f"{mean} +- {values.std(ddof=1) / np.sqrt(values.size):.1g}"


def count(seen: Replicas) -> str:
    """Return the numbers of replicas that have finished, run, were stopped and are to come."""
    stopped = len(seen.runs) - seen.finished - seen.running
    others = {"running": seen.running, "stopped": stopped, "to come": seen.number - len(seen.runs)}
    counts = [f"{number} {state}" for state, number in others.items() if number]
    return ", ".join([f"{seen.finished} of {seen.number} finished", *counts])


def share(seen: Snapshot) -> str:
    """Return the share of its steps that a run has taken."""
    return f"{100 * seen.step / seen.total:.0f} %" if seen.total else f"step {seen.step}"


def title(seen: Snapshot) -> Text:
    """Return the name of the run, its model and its lattice."""
    model, (length, width) = seen.configuration.model, seen.configuration.lattice.shape
    at = f"T = {model.temperature:g}" if model.activity is None else f"a = {model.activity:g}"
    return Text(f"{seen.name}: {model.activation} model, {at}, {length} x {width}")


def phase(seen: Snapshot) -> str:
    """Return the phase of a run, or how it ended."""
    return seen.ended or ("warm-up" if seen.in_warmup else "measure")


def speed(seen: Snapshot) -> str:
    """Return the speed, in site updates a second; by the exact clock, in units of time."""
    if seen.site_updates is None or seen.rate is None:
        return "not known yet"
    clock = seen.configuration.time
    if clock.clock == "exact":
        return f"{seen.rate * clock.step:.3g} tau/s"
    return f"{seen.site_updates / 1e6:.3g} M site updates/s, {seen.rate:.3g} steps/s"


def left(seen: Snapshot, now: float) -> str:
    """Return the time left."""
    seconds = seen.seconds_left(now)
    if seconds is None:
        return ""
    minutes, hours = seconds / 60, seconds / 3600
    if seconds < 120:
        return f"{seconds:.0f} s left"
    return f"{minutes:.0f} min left" if hours < 2 else f"{hours:.1f} h left"


def news(seen: Snapshot, now: float) -> Text:
    """Return the age of the file, with a warning if it is too long for a run in progress."""
    if not seen.published:
        return Text("nothing published yet")
    age = max(now - seen.published, 0.0)
    when = f"{age:.0f} s ago" if age < 600 else f"{age / 3600:.1f} h ago"
    if seen.has_ended or age < QUIET:
        return Text(f"published {when}")
    return Text(f"published {when}: slow, suspended or killed?", style="yellow")
