"""The warm-ups of a scan: activity and stress variance from the start of each run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from epmpi.analysis import RunFile
from epmpi.analysis.activity import series_of
from epmpi.analysis.blocks import block_means
from epmpi.analysis.figures.style import BLACK, PALETTE, drawing
from epmpi.campaign.runs import Job

POINTS = 60  # of a curve
NAMES = {"activity": "activity", "stress_variance": r"stress variance / $\sigma_Y^2$"}


def draw_transients(path: Path, runs: Path, jobs: Sequence[Job]) -> None:
    """Draw the series of the warm-ups, averaged in blocks; dotted: the means of the measurements.

    A dot marks the end of each warm-up.
    """
    with drawing(path, 12, 5.4, for_page=True) as figure:
        panels = figure.subplots(1, len(NAMES))
        for axes, (name, label) in zip(panels, NAMES.items(), strict=True):
            for number, job in enumerate(jobs):
                colour = PALETTE[number % len(PALETTE)]
                with RunFile(runs / job.name) as run:
                    time, value = series_of(run, name, warmup=True)
                    mean = series_of(run, name)[1].mean()
                blocks = min(POINTS, value.size)
                time, value = block_means(time, blocks), block_means(value, blocks)
                axes.plot(time, value, color=colour, label=job.name, linewidth=1.2)
                axes.plot(time[-1], value[-1], "o", color=colour)
                axes.axhline(mean, color=colour, linestyle=":", linewidth=1)
            axes.set(xlabel="time since the start", ylabel=label, xlim=(0, None), yscale="log")
            axes.axhline(np.nan, color=BLACK, linestyle=":", label="mean after the warm-up")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=10)
