"""Draw the picture of the README from a run: stress with its events, and paths of tracers.

python tools/cover.py runs/quickstart docs/images/cover.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize

from epmpi.analysis import RunFile
from epmpi.analysis.figures.style import BLACK, DIVERGING, SEQUENTIAL, colour_bar, drawing

SIDE = 40  # sites of the square that both panels show
MARKERS = {1: "^", -1: "v"}  # of active sites, by direction


def main() -> None:
    """Draw the last stress of a run, and the paths over the whole of it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("png", type=Path)
    chosen = parser.parse_args()
    with RunFile(chosen.run) as run, drawing(chosen.png, 12.6, 5.7) as figure:
        left, right = figure.subplots(1, 2)
        draw_stress(left, run)
        draw_paths(right, run)
        temperature = run.parameter("model", "temperature")
        whole = " x ".join(map(str, run.shape))
        figure.suptitle(f"$T={temperature:g}$, {SIDE} x {SIDE} of {whole} sites")


def draw_stress(axes: Axes, run: RunFile) -> None:
    """Draw the last stress; active sites as triangles that point along their direction."""
    stress = run.field("stress", -1)[:SIDE, :SIDE]
    active = run.field("active", -1)[:SIDE, :SIDE]
    image = axes.imshow(
        stress.T, origin="lower", cmap=DIVERGING, norm=Normalize(-1, 1), interpolation="nearest"
    )
    for direction, marker in MARKERS.items():
        x, y = np.nonzero(active == direction)
        axes.plot(x, y, marker, color="white", markeredgecolor=BLACK, markersize=10)
    colour_bar(axes, image, r"stress $\sigma\,/\,\sigma_Y$", extend="both")
    axes.set_title("stress and the sites that yield", loc="right")
    axes.set(xlabel="$x$", ylabel="$y$")


def draw_paths(axes: Axes, run: RunFile) -> None:
    """Draw the paths of the tracers that start in the square, dark at the beginning."""
    start = run.positions(slice(None), slice(0, 1))[0]
    inside = np.flatnonzero((np.mod(start, run.shape) < SIDE).all(axis=1))
    paths = run.positions(inside) - start[inside] + np.mod(start[inside], run.shape)
    time = run.clock("particles/tracers/position").time
    for path in np.moveaxis(paths, 1, 0):
        line = LineCollection(
            list(np.stack([path[:-1], path[1:]], axis=1)), cmap=SEQUENTIAL, linewidth=0.7
        )
        line.set_array(time[:-1])
        axes.add_collection(line)
    colour_bar(axes, line, r"$t\,/\,\tau$")
    axes.set_title(f"paths of {inside.size} tracers", loc="right")
    axes.set(xlim=(0, SIDE), ylim=(0, SIDE), aspect="equal", xlabel="$x$", ylabel="$y$")


if __name__ == "__main__":
    main()
