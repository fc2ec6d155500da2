"""Tracer trajectories, near and far (figure 1, right, of the paper)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from epmpi.analysis.figures.style import (
    GREY,
    PALETTE,
    SEQUENTIAL,
    colour_bar,
    drawing,
    label_panels,
)
from epmpi.analysis.run_file import POSITION, RunFile

ALONG = 3  # the wide panel shows a square of about 3 x 3 trajectories
APART = 3.0  # least mean distance between their starts, in lattice spacings
MOST_FRAMES = 5000  # longer trajectories are drawn with every k-th frame


def draw_trajectories(path: Path, run: RunFile, title: str) -> None:
    """Draw neighbouring trajectories, and one of them enlarged and coloured by time."""
    time = run.clock(POSITION).time
    stride = slice(None, None, -(-time.size // MOST_FRAMES))
    position = run.positions(_neighbours(run), stride)
    chosen = _mobile(position)
    with drawing(path, 12.4, 5.6, title) as figure:
        left, right = figure.subplots(1, 2)
        label_panels(left, right)
        _draw_many(left, position, chosen)
        left.set_title(rf"{position.shape[1]} tracers over ${time[-1]:g}\,\tau$", loc="right")
        _draw_one(right, position[:, chosen], time[stride])
        right.set_title("the framed tracer", loc="right")


def _neighbours(run: RunFile) -> NDArray[np.int64]:
    """Return the tracers that start in the most crowded of equal squares.

    Where tracers are closer than `APART` on average, only every k-th is considered: trajectories
    that lie on top of each other show nothing.
    """
    sites = run.shape[0] * run.shape[1]
    every = max(1, round(APART**2 * run.tracers / sites))
    start = run.positions(slice(None), slice(0, 1))[0, ::every]
    side = ALONG * np.sqrt(sites / len(start))
    cell = np.floor((start % run.shape) / side).astype(np.int64)
    index = cell[:, 0] * (1 + int(run.shape[1] / side)) + cell[:, 1]
    return every * np.flatnonzero(index == np.bincount(index).argmax())


def _mobile(position: NDArray[np.float64]) -> int:
    """Return the tracer whose path spans more than 80 % of the others: it has left its cage."""
    span = np.hypot(*np.ptp(position, axis=0).T)
    return int(np.argsort(span)[int(0.8 * (span.size - 1))])


def _draw_many(axes: Axes, position: NDArray[np.float64], chosen: int) -> None:
    for number in range(position.shape[1]):
        x, y = position[:, number].T
        top = 3 if number == chosen else 2
        axes.plot(x, y, color=PALETTE[number % len(PALETTE)], linewidth=1, zorder=top)
        axes.plot(x[0], y[0], "o", color=GREY, markersize=3, zorder=top)
    _frame(axes, position.reshape(-1, 2))
    middle, half = _square(position[:, chosen])
    axes.add_patch(
        Rectangle(
            (middle[0] - half, middle[1] - half),
            2 * half,
            2 * half,
            fill=False,
            linewidth=1.2,
            zorder=4,
        )
    )


def _draw_one(axes: Axes, path: NDArray[np.float64], time: NDArray[np.float64]) -> None:
    """Draw one path coloured by time."""
    segments = np.stack([path[:-1], path[1:]], axis=1)
    line = LineCollection(list(segments), cmap=SEQUENTIAL, linewidth=1.4, capstyle="round")
    line.set_array(time[:-1])
    axes.add_collection(line)
    axes.plot(*path[0], "o", color=GREY)
    colour_bar(axes, line, r"$t\;/\;\tau$")
    _frame(axes, path)


def _square(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return middle, shape (2,), and half side of a square about the points, shape (number, 2)."""
    low, high = points.min(axis=0), points.max(axis=0)
    return (low + high) / 2, 0.54 * float(max(high - low)) or 0.5


def _frame(axes: Axes, points: NDArray[np.float64]) -> None:
    """Fit a square panel to the points, shape (number, 2)."""
    (x, y), half = _square(points)
    axes.set(xlim=(x - half, x + half), ylim=(y - half, y + half), aspect="equal")
    axes.set(xlabel=r"$x$", ylabel=r"$y$")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5))
