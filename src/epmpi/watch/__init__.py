"""`epmpi watch RUN`: a live view of a run or an ensemble, read from the run files alone."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console
from rich.live import Live

from epmpi.config import is_ensemble
from epmpi.watch.ensemble_snapshot import Replicas, read_replicas
from epmpi.watch.picture import picture
from epmpi.watch.snapshot import Snapshot, read_snapshot

__all__ = ["Replicas", "Snapshot", "picture", "read_replicas", "read_snapshot", "watch"]


def watch(run: Path, console: Console, *, once: bool = False, every: float = 2.0) -> None:
    """Show the progress of a run until it has ended.

    Parameters
    ----------
    run : Path
        RUN directory of a run or an ensemble, or run file.
    console : rich Console
        Shows a single picture if it is not a terminal.
    once : bool
        Show a single picture.
    every : float
        Seconds between two updates.

    Raises
    ------
    AnalysisError
        If there is no run file, or it cannot be read.
    """
    seen = look(run)
    if once or not console.is_terminal or seen.has_ended:
        console.print(picture(seen, time.time()))
        return
    with Live(picture(seen, time.time()), console=console, auto_refresh=False) as live:
        while not seen.has_ended:
            time.sleep(every)
            seen = look(run, seen)
            live.update(picture(seen, time.time()), refresh=True)


def look(run: Path, before: Snapshot | None = None) -> Snapshot:
    """Read a snapshot of a run, or of an ensemble."""
    if is_ensemble(run):
        return read_replicas(run, before if isinstance(before, Replicas) else None)
    return read_snapshot(run, before)
