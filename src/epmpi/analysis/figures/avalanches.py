"""Avalanches: P(S), S against duration and distinct sites, P(x), the weakest sites, the bursts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase

import numpy as np
from matplotlib.axes import Axes

from epmpi.analysis.curve import Curve, FittedLaw
from epmpi.analysis.figures.style import BLACK, BLUE, drawing, label_panel, sequence

COLUMNS = 3


@dataclass(frozen=True)
class Panel:
    """Axes of the curves whose names end alike."""

    ending: str
    x_label: str
    y_label: str
    x_log: bool = True
    y_log: bool = True


PANELS = (
    Panel("_sizes", r"$S$", r"$P(S)$"),
    Panel("_durations", r"$t\;/\;\tau$", r"$\langle S \rangle$"),
    Panel("_sites", r"$S$", "distinct sites"),
    Panel("distance_distribution", r"$x\;/\;\sigma_Y$", r"$P(x)$"),
    Panel("weakest_distance", r"$x\;/\;\sigma_Y$ of sites that yield", "density", False, False),
    Panel("burst_time", r"gap $/\;\tau$", "share of the time in bursts", True, False),
)


def draw_avalanches(
    path: Path, curves: Mapping[str, Curve], laws: Mapping[str, FittedLaw], title: str
) -> None:
    """Draw a panel for each kind of curve, with the laws that were fitted, by their names."""
    shown = [
        (panel, family)
        for panel in PANELS
        if (family := [curve for name, curve in curves.items() if name.endswith(panel.ending)])
    ]
    rows = -(-len(shown) // COLUMNS)
    with drawing(path, 4.6 * COLUMNS, 3.6 * rows + 0.6) as figure:
        figure.suptitle(title)
        grid = np.atleast_1d(figure.subplots(rows, COLUMNS)).ravel()
        for number, (axes, (panel, family)) in enumerate(zip(grid, shown, strict=False)):
            _draw_family(axes, panel, family, laws)
            label_panel(axes, ascii_lowercase[number])
        for axes in grid[len(shown) :]:
            axes.set_axis_off()


def is_of_avalanches(name: str) -> bool:
    """Tell whether a curve has a panel here."""
    return any(name.endswith(panel.ending) for panel in PANELS)


def _draw_family(
    axes: Axes, panel: Panel, family: list[Curve], laws: Mapping[str, FittedLaw]
) -> None:
    colours = [BLUE] if len(family) == 1 else list(sequence(len(family)))
    for curve, colour in zip(family, colours, strict=True):
        limit = curve.parameters.get("threshold")
        label = None if limit is None else f"$x_0={limit:.3g}$"
        error = np.nan_to_num(curve.error)
        axes.errorbar(curve.x, curve.value, error, fmt="o", color=colour, markersize=3, label=label)
        if law := laws.get(curve.name):
            _draw_law(axes, curve, law)
    if panel.x_log:
        axes.set_xscale("log")
    if panel.y_log:
        axes.set_yscale("log")
        values = np.concatenate([curve.value[curve.value > 0] for curve in family])
        axes.set_ylim(values.min() / 3, values.max() * 3)
    axes.set(xlabel=panel.x_label, ylabel=panel.y_label)
    if any("threshold" in curve.parameters for curve in family):
        axes.legend(fontsize=9)


def _draw_law(axes: Axes, curve: Curve, law: FittedLaw) -> None:
    """Draw a fitted power, with its cutoff if it has one, at the height of the points."""
    inside = (curve.x >= law.span[0]) & (curve.x <= law.span[1]) & (curve.value > 0)
    x = np.geomspace(*law.span, 100)
    name, sign = ("theta", 1) if "theta" in law.names else ("exponent", -1)
    exponent, error = law.parameter(name)

    def shape(at: np.ndarray) -> np.ndarray:
        cut = np.exp(-at / law.parameter("cutoff")[0]) if "cutoff" in law.names else 1.0
        return np.asarray(at ** (sign * exponent) * cut)

    height = np.exp(np.mean(np.log(curve.value[inside] / shape(curve.x[inside]))))
    symbol = r"$\theta$" if name == "theta" else "exponent"
    axes.plot(x, height * shape(x), color=BLACK, linewidth=1.0, zorder=4,
              label=f"{symbol} {exponent:.3f} +- {error:.3f}")  # fmt: skip
    axes.legend(fontsize=9)
