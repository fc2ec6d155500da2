"""Draw where the exact clock is the faster one: docs/images/exact_clock.png.

    python -m tools.performance.clock_figure events.csv docs/images/exact_clock.png

The rows are those of `benchmarks.events` without tracers; lines the law of `clock_advice`.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np

from epmpi.analysis.figures.style import PALETTE, drawing
from epmpi.config import from_mapping
from epmpi.run.clock_advice import exact_clock_gain

STEP = 0.05


def draw(source: Path, target: Path) -> None:
    """Draw the gain against the activity, a colour for each lattice."""
    with source.open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["tracers"] == "0"]
    with drawing(target, 7.0, 5.0, for_page=True) as figure:
        axes = figure.subplots()
        lengths = sorted({int(row["L"]) for row in rows})
        for length, colour in zip(lengths, PALETTE, strict=False):
            mine = [row for row in rows if int(row["L"]) == length]
            activity = [float(row["activity"]) for row in mine]
            gain = [float(row["gain"]) for row in mine]
            axes.loglog(activity, gain, "o", color=colour, label=f"$L = {length}$")
            configuration = from_mapping(
                {"lattice": {"shape": [length, length]}, "tracers": {"number": 0}}
            )
            known = np.geomspace(1e-7, 3e-2, 100)
            law = [exact_clock_gain(configuration, a, STEP) for a in known]
            axes.loglog(known, law, color=colour, linewidth=1, alpha=0.5)
        axes.axhline(1.0, color="black", linewidth=1)
        axes.set_xlabel("activity $a$")
        axes.set_ylabel(r"time by steps of $0.05\,\tau$ / by the exact clock")
        axes.legend()


if __name__ == "__main__":
    draw(*map(Path, sys.argv[1:3]))
