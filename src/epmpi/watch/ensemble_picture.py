"""A snapshot of an ensemble as a picture of characters: its means, a line for each replica."""

from __future__ import annotations

import numpy as np
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.text import Text

from epmpi.config import replica_name
from epmpi.watch.ensemble_snapshot import Replicas
from epmpi.watch.picture import LABELS, Sparkline, columns, left, news, phase, speed, title
from epmpi.watch.snapshot import Snapshot

MOST_LINES = 16  # of replicas, those that are running first


def picture_of_replicas(seen: Replicas, now: float) -> Panel:
    """Return the picture of an ensemble at a time `now`, in seconds since the epoch."""
    grid = columns()
    for name, mean in seen.series.items():
        grid.add_row(LABELS[name], Sparkline(mean), mean_and_error(seen, name))
    bar = ProgressBar(total=seen.total or None, completed=seen.step, pulse=False)
    grid.add_row("replicas", bar if seen.total else Text(""), count(seen))
    grid.add_row("speed", Text(speed(seen)), left(seen, now))
    lines = sorted(seen.runs, key=lambda number: (seen.runs[number].has_ended, number))
    for number in sorted(lines[:MOST_LINES]):
        run = seen.runs[number]
        series = run.series.get("activity", np.zeros(0))
        grid.add_row(replica_name(number), Sparkline(series), progress(run))
    if len(lines) > MOST_LINES:
        grid.add_row(f"and {len(lines) - MOST_LINES} more", Text(""), "")
    return Panel(grid, title=title(seen), subtitle=news(seen, now), title_align="left")


def mean_and_error(seen: Replicas, name: str) -> str:
    """Return the mean of the last samples with its standard error, where there are two or more."""
    values = seen.latest(name)
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


def progress(run: Snapshot) -> str:
    """Return the phase of a replica, and its progress."""
    if run.has_ended:
        return phase(run)
    share = f"{100 * run.step / run.total:.0f} %" if run.total else f"step {run.step}"
    return f"{phase(run)}, {share}"
