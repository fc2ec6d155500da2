"""`epmpi watch RUN`: a live view of a run in the terminal, read from its run file alone."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console
from rich.live import Live

from epmpi.watch.picture import picture
from epmpi.watch.snapshot import Snapshot, read_snapshot

__all__ = ["Snapshot", "picture", "read_snapshot", "watch"]


def watch(run: Path, console: Console, *, once: bool = False, every: float = 2.0) -> None:
    """Show how far a run is, until it has ended.

    Parameters
    ----------
    run : Path
        RUN directory, or run file.
    console : rich Console
        One that is no terminal is shown a single picture.
    once : bool
        Show a single picture.
    every : float
        Seconds between two looks.

    Raises
    ------
    AnalysisError
        If there is no run file, or it cannot be read.
    """
    seen = read_snapshot(run)
    if once or not console.is_terminal or seen.has_ended:
        console.print(picture(seen, time.time()))
        return
    with Live(picture(seen, time.time()), console=console, auto_refresh=False) as live:
        while not seen.has_ended:
            time.sleep(every)
            seen = read_snapshot(run, seen)
            live.update(picture(seen, time.time()), refresh=True)
