"""The stress field with displacement arrows, and the response to the events of one instant."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, SymLogNorm
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from epmpi.analysis.fields import Medium, displacement, stress_change
from epmpi.analysis.figures.style import BLACK, DIVERGING, colour_bar, drawing, label_panels
from epmpi.analysis.run_file import RunFile

ARROWS = 22  # along the longer side
EVENTS = 4  # desired number of active sites in the zoom
MOST_SITES = 500  # largest number of squares that are compared for the zoom


@dataclass(frozen=True)
class Snapshot:
    """Data of the stress map.

    Attributes
    ----------
    stress : array, shape (Lx, Ly)
        Of the last frame.
    time : float
        Of the last frame, in tau.
    strain_increment : array, shape (Lx, Ly), or None
        Plastic strain between the last two frames.
    interval : float
        Between the last two frames, in tau.
    active : array, shape (Lx, Ly), or None
        n s of the last frame.
    """

    stress: NDArray[np.float64]
    time: float
    strain_increment: NDArray[np.float64] | None
    interval: float
    active: NDArray[np.float64] | None


def read_snapshot(run: RunFile) -> Snapshot:
    """Read the last frame of the fields; needs /fields/stress."""
    clock = run.clock("fields/stress")
    increment, interval = None, 0.0
    if run.has("fields/plastic_strain"):
        times = run.clock("fields/plastic_strain").time
        if times.size > 1:
            increment = run.field("plastic_strain", -1) - run.field("plastic_strain", -2)
            interval = float(times[-1] - times[-2])
    active = run.field("active", -1) if run.has("fields/active") else None
    if active is not None and not active.any():
        active = None
    return Snapshot(run.field("stress", -1), float(clock.time[-1]), increment, interval, active)


def draw_stress_map(path: Path, snapshot: Snapshot, medium: Medium, title: str) -> None:
    """Draw the stress map; beside it a zoom on the elastic response to the active sites."""
    panels = 1 if snapshot.active is None else 2
    length_x, length_y = snapshot.stress.shape
    height = 5.3 * min(max(length_y / length_x, 0.6), 1.6) + 0.9
    with drawing(path, 6.9 * panels, height, title) as figure:
        columns = np.atleast_1d(figure.subplots(1, panels))
        _draw_stress(columns[0], snapshot)
        if snapshot.active is not None:
            corner, side = zoom(snapshot.active)
            _draw_response(columns[1], snapshot.active, medium, corner, side)
            columns[0].add_patch(
                Rectangle((corner[0] - 0.5, corner[1] - 0.5), side, side, fill=False, linewidth=1.5)
            )
            label_panels(*columns)


def _draw_stress(axes: Axes, snapshot: Snapshot) -> None:
    # Single sites beside an event are far beyond the yield stress, 1: the rest would look pale.
    limit = max(1.0, 3 * float(snapshot.stress.std()))
    image = axes.imshow(
        snapshot.stress.T,
        origin="lower",
        cmap=DIVERGING,
        norm=Normalize(-limit, limit),
        extent=_extent(snapshot.stress.shape),
        interpolation="nearest",
    )
    colour_bar(axes, image, r"stress $\sigma\,/\,\sigma_Y$", extend="both")
    text = rf"$t={snapshot.time:g}\,\tau$"
    if snapshot.strain_increment is not None:
        scale = _arrows(axes, displacement(snapshot.strain_increment), (0, 0), ARROWS)
        text += rf", arrows: displacement in ${snapshot.interval:g}\,\tau$ {scale}"
    axes.set_title(text, loc="right", fontsize=11)
    axes.set(xlabel=r"$x$", ylabel=r"$y$")


def _draw_response(
    axes: Axes,
    active: NDArray[np.float64],
    medium: Medium,
    corner: tuple[int, int],
    side: int,
) -> None:
    """Draw the stress rate and the velocity around a few of the active sites."""
    rate = medium.strain_rate(active)
    stress_rate = _cut(stress_change(rate, medium), corner, side)
    velocity = np.stack([_cut(component, corner, side) for component in displacement(rate)])
    limit = float(np.abs(stress_rate).max()) or 1.0  # no response at all: event_strain = 0
    image = axes.imshow(
        stress_rate.T,
        origin="lower",
        cmap=DIVERGING,
        norm=SymLogNorm(limit / 30, vmin=-limit, vmax=limit),
        extent=_extent(stress_rate.shape, corner),
        interpolation="nearest",
    )
    colour_bar(axes, image, r"stress rate $\partial_t\sigma\;\;(\sigma_Y/\tau)$")
    scale = _arrows(axes, velocity, corner, ARROWS)
    zoomed = _cut(active, corner, side)
    for x, y in np.argwhere(zoomed != 0):
        axes.annotate(
            "+" if zoomed[x, y] > 0 else "−",
            (x + corner[0], y + corner[1]),
            ha="center",
            va="center",
            fontsize=10,
            fontweight="bold",
            bbox={"boxstyle": "circle,pad=0.1", "facecolor": "white", "edgecolor": BLACK},
        )
    axes.set_title(
        rf"response to the active sites ($\pm$), arrows: velocity {scale}",
        loc="right",
        fontsize=11,
    )
    axes.set(xlabel=r"$x$", ylabel=r"$y$")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, integer=True))


def _extent(
    shape: tuple[int, ...], corner: tuple[int, int] = (0, 0)
) -> tuple[float, float, float, float]:
    """Return the edges of an image whose pixels are centred on the sites."""
    return (
        corner[0] - 0.5, corner[0] + shape[0] - 0.5, corner[1] - 0.5, corner[1] + shape[1] - 0.5
    )  # fmt: skip


def _arrows(axes: Axes, vectors: NDArray[np.float64], corner: tuple[int, int], along: int) -> str:
    """Draw one arrow per cell, the mean of its sites; return the scale for the caption.

    The 95th percentile of the lengths fills a cell; the caption gives the factor.
    """
    _, length_x, length_y = vectors.shape
    cell = max(1, round(max(length_x, length_y) / along))
    nx, ny = length_x // cell, length_y // cell
    mean = vectors[:, : nx * cell, : ny * cell].reshape(2, nx, cell, ny, cell).mean(axis=(2, 4))
    length = np.hypot(*mean)
    typical = float(np.percentile(length, 95)) or 1.0
    factor = 1.1 * cell / typical
    # A few sites beside an event would hide the rest: their arrows are cut to two cells.
    mean = mean * np.minimum(1.0, 2 * typical / np.maximum(length, 1e-300))
    x = corner[0] + cell * np.arange(nx) + (cell - 1) / 2
    y = corner[1] + cell * np.arange(ny) + (cell - 1) / 2
    axes.quiver(
        *np.meshgrid(x, y, indexing="ij"),
        *(factor * mean),
        angles="xy",
        scale_units="xy",
        scale=1,
        color=BLACK,
        width=0.0032,
        pivot="mid",
        path_effects=[withStroke(linewidth=2.5, foreground="white")],
    )
    cut = ", longest cut" if (length > 2 * typical).any() else ""
    return rf"$\times\,{factor:.2g}${cut}"


def zoom(active: NDArray[np.float64]) -> tuple[tuple[int, int], int]:
    """Return corner and side of the square whose active sites show their quadrupoles best.

    Squares about each active site are compared: near `EVENTS` active sites, far from each other and
    from the edge.  The response drawn is that to *all* active sites of the lattice.

    Parameters
    ----------
    active : array, shape (Lx, Ly)
        n, or n s.
    """
    activity = np.count_nonzero(active) / active.size
    side = int(min(max(np.sqrt(EVENTS / activity), 24), 36, *active.shape))
    sites = np.argwhere(active != 0)
    room = np.array(active.shape) - side
    best, most = (0, 0), -np.inf
    for site in sites[:: -(-len(sites) // MOST_SITES)]:
        corner = np.clip(site - side // 2, 0, room)
        inside = sites - corner
        inside = inside[((inside >= 0) & (inside < side)).all(axis=1)]
        apart = np.abs(inside[:, None] - inside).max(axis=2) + side * np.eye(len(inside))
        margin = np.minimum(inside, side - 1 - inside).min()
        score = -abs(len(inside) - EVENTS) + 2 * min(apart.min() / 4, margin / 3, 1)
        if score > most:
            best, most = (int(corner[0]), int(corner[1])), score
    return best, side


def _cut(field: NDArray[np.float64], corner: tuple[int, int], side: int) -> NDArray[np.float64]:
    """Return a square of a periodic field, shape (side, side)."""
    x, y = corner[0] + np.arange(side), corner[1] + np.arange(side)
    return field[np.ix_(x % field.shape[0], y % field.shape[1])]
