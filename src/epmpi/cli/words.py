"""Output of the commands: times, their last line, Matplotlib without the user's settings."""

import os
import shlex
from collections.abc import Iterable
from pathlib import Path


def without_user_style() -> None:
    """Let Matplotlib start without the user's settings and backend.

    A backend that is not installed, or unreadable settings, would stop its import.
    """
    os.environ["MPLBACKEND"] = "agg"
    os.environ["MATPLOTLIBRC"] = os.devnull


def closing(results: Iterable[Path], then: Iterable[str | Path]) -> str:
    """Return the last line of a command: where its results are, and the next command."""
    places = list(dict.fromkeys(map(str, results)))
    listed = ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
    where = f"results in {listed}" if places else "nothing was written"
    return f"{where}; next: epmpi {shlex.join(map(str, then))}"


def in_time(seconds: float) -> str:
    """Return a time with a suitable unit."""
    for limit, unit, size in ((120, "s", 1), (7200, "min", 60), (172800, "h", 3600)):
        if seconds < limit:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 86400:.3g} days"
