"""Figure 1, the model itself, and the activity against temperature."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm
from matplotlib.ticker import MaxNLocator

from epmpi.analysis import RunFile
from epmpi.analysis.fields import Medium, displacement, stress_change
from epmpi.analysis.figures.style import (
    BLACK,
    BLUE,
    DIVERGING,
    GREY,
    PALETTE,
    colour_bar,
    drawing,
    label_panel,
)
from epmpi.analysis.notation import mathtext
from epmpi.paper.measured import LOW_TEMPERATURE, Measured, fit_activity

LATTICE = 64
EVENTS = ((16, 20, 1), (42, 36, -1), (26, 48, 1))  # x, y and direction
WINDOW = 7.0  # lattice spacings of the trajectory panel


def draw_1(path: Path, runs: Sequence[Measured]) -> None:
    """Draw the response to three simultaneous events, and trajectories in the steady state."""
    (run,) = runs
    with drawing(path, 12.6, 5.6, for_page=True) as figure:
        left, right = figure.subplots(1, 2)
        label_panel(left, "left")
        label_panel(right, "right")
        _draw_response(left)
        _draw_trajectories(right, run)


def _draw_response(axes: Axes) -> None:
    """Draw stress change (colour) and rescaled displacement (arrows) of a strain eps0/2 each."""
    strain = np.zeros((LATTICE, LATTICE))
    for x, y, direction in EVENTS:
        strain[x, y] = 0.5 * direction
    change = stress_change(strain, Medium())
    moved = displacement(strain)
    limit = 0.15
    image = axes.imshow(
        change.T, origin="lower", cmap=DIVERGING, norm=SymLogNorm(0.004, vmin=-limit, vmax=limit),
        interpolation="bilinear",
    )  # fmt: skip
    colour_bar(axes, image, r"$\Delta\sigma\,/\,\sigma_Y$", extend="both")
    grid = np.arange(1, LATTICE, 3)
    across, along = np.meshgrid(grid, grid, indexing="ij")
    arrows = moved[:, across, along]
    length = np.hypot(*arrows)
    # Arrows show directions: their lengths are proportional to the root of the displacement.
    arrows = arrows / np.sqrt(np.maximum(length, 1e-12))
    axes.quiver(across, along, *arrows, pivot="mid", width=0.0032, color=BLACK)
    axes.set_title("three events, arrows rescaled", loc="right")
    axes.set(xlabel="$x$", ylabel="$y$")


def _draw_trajectories(axes: Axes, run: Measured) -> None:
    """Draw the trajectories that start in a small square."""
    with RunFile(run.run) as file:
        start = file.positions(slice(None), slice(0, 1))[0]
        cell = np.floor(start / WINDOW).astype(np.int64)
        index = cell[:, 0] * 1000 + cell[:, 1]
        values, counts = np.unique(index, return_counts=True)
        chosen = np.flatnonzero(index == values[counts.argmax()])
        position = file.positions(chosen)
    for number in range(position.shape[1]):
        axes.plot(*position[:, number].T, "-", linewidth=0.8, color=PALETTE[number % len(PALETTE)])
        axes.plot(*position[0, number], "o", color=GREY, markersize=3)
    duration = run.case.duration
    axes.set_title(rf"$T={run.case.temperature:g}$, ${duration:g}\,\tau$", loc="right")
    axes.set(xlabel="$x$", ylabel="$y$", aspect="equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5))


def draw_activity(path: Path, runs: Sequence[Measured]) -> None:
    """Draw the activity against 1/T with its Arrhenius fit and the printed law."""
    inverse = np.array([1 / run.case.temperature for run in runs])
    value = np.array([run.activity.value for run in runs])
    error = np.nan_to_num([run.activity.error for run in runs])
    line = np.linspace(inverse.min() * 0.9, inverse.max() * 1.05, 100)
    with drawing(path, 6.4, 5.0, for_page=True) as figure:
        axes = figure.subplots()
        axes.errorbar(inverse, value, error, fmt="o", color=BLUE, label="measured")
        axes.plot(
            line, 3.1 * np.exp(-0.48 * line), "--", color=GREY, label=r"paper: $3.1\,e^{-0.48/T}$"
        )
        found = fit_activity(runs)
        if found is not None:
            (prefactor, energy), errors = found.value, found.error
            text = (
                rf"$T\leq{LOW_TEMPERATURE:g}$: ${mathtext(prefactor, errors[0])}\,"
                rf"\exp(-{mathtext(energy, errors[1])}/T)$"
            )
            axes.plot(line, prefactor * np.exp(-energy * line), color=BLACK, label=text)
        axes.set(yscale="log", xlabel=r"$1/T$", ylabel=r"activity $a$")
        axes.legend()
