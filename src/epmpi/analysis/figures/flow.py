"""The stress-strain curve of a sheared run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from epmpi.analysis.blocks import Estimate
from epmpi.analysis.figures.series import has_rate, thinned
from epmpi.analysis.figures.style import BLACK, BLUE, GREY, drawing
from epmpi.analysis.notation import mathtext
from epmpi.analysis.run_file import RunFile

STRAIN = "macroscopic_strain"


def is_sheared(run: RunFile) -> bool:
    """Tell whether a run has been sheared at some rate, and has recorded its strain."""
    names = (STRAIN, "stress_mean")
    return has_rate(run) and all(run.has(f"observables/{name}") for name in names)


def draw_flow(path: Path, runs: Sequence[RunFile], average: Estimate, title: str) -> None:
    """Draw the mean stress of all replicas against the macroscopic strain, warm-up included.

    Beside the elastic line ``mu gamma`` of a medium in which nothing yields, and the average after
    the warm-up.
    """
    faint = max(1 / len(runs), 0.15) ** 0.5
    with drawing(path, 7.5, 5.0, title) as figure:
        axes = figure.subplots()
        for run in runs:
            for is_warmup, colour in ((True, GREY), (False, BLUE)):
                axes.plot(*stress_strain(run, is_warmup), color=colour, linewidth=1, alpha=faint)
        _draw_average(axes, runs[0], average)
        low, high = axes.get_ylim()
        _draw_elastic(axes, runs[0], low, high)
        axes.set_ylim(low, high)
        axes.set(xlabel=r"macroscopic strain $\gamma$", ylabel=r"mean stress $\sigma/\sigma_Y$")
        axes.legend(loc="lower right")


def stress_strain(run: RunFile, is_warmup: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return strain and mean stress of a run, in the warm-up or after it; empty where not known."""
    group = "warmup/observables" if is_warmup else "observables"
    if not all(run.has(f"{group}/{name}") for name in (STRAIN, "stress_mean")):
        return np.empty(0), np.empty(0)
    strain, stress = (run.series(name, is_warmup)[1] for name in (STRAIN, "stress_mean"))
    samples = min(strain.size, stress.size)
    return thinned(strain[:samples], stress[:samples])


def _draw_average(axes: Axes, run: RunFile, average: Estimate) -> None:
    strain, _ = stress_strain(run, False)
    text = rf"average ${mathtext(average.value, average.error)}$"
    axes.plot(strain[[0, -1]], [average.value] * 2, color=BLACK, linewidth=1.4, label=text)


def _draw_elastic(axes: Axes, run: RunFile, low: float, high: float) -> None:
    """Draw the elastic line from the origin, in the range of the stresses."""
    modulus = run.parameter("model", "shear_modulus", 1.0)
    strain, _ = stress_strain(run, False)
    end = high if strain[-1] > 0 else low
    axes.plot([0, end / modulus], [0, end], "--", color=BLACK, linewidth=1, label=r"$\mu\gamma$")
