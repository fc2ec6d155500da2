"""All curves other than D(t), S(q,t) and those of avalanches, one panel each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase

import numpy as np
from matplotlib.axes import Axes

from epmpi.analysis.curve import Curve
from epmpi.analysis.figures.style import BLUE, GREY, drawing, label_panel, sequence

COLUMNS = 3


@dataclass(frozen=True)
class Panel:
    """Axes and labels of one curve, or of a family of curves whose names begin alike."""

    name: str
    x_label: str
    y_label: str
    x_log: bool = True
    y_log: bool = False
    levels: tuple[float, ...] = ()
    y_limits: tuple[float, float] | None = None


PANELS = (
    Panel("unit_displacement", r"$u$", r"$P(u)$", y_log=True),
    Panel("displacement_correlation", r"$t\;/\;\tau$", r"$C_u(t)$", levels=(0,)),
    Panel("van_hove", r"$r$", r"$G_s(r,t)$", y_log=True),
    Panel("alpha_2", r"$t\;/\;\tau$", r"$\alpha_2(t)$", levels=(0,)),
    Panel("overlap", r"$t\;/\;\tau$", r"$Q(t)$", y_limits=(-0.03, 1.05)),
    Panel("chi_4", r"$t\;/\;\tau$", r"$\chi_4(t)$"),
    Panel("local_q_exponent", r"$q$", r"$n(q)$", levels=(1, 2), y_limits=(0.5, 3.5)),
    Panel("stress_distribution", r"$\sigma\;/\;\sigma_Y$", r"$P(\sigma)$", x_log=False, y_log=True),
    Panel("stress_correlation", r"$t\;/\;\tau$", r"$C_\sigma(t)$", levels=(0,)),
    Panel("waiting_times", r"$\tau_{ev}\;/\;\tau$", r"$\psi(\tau_{ev})$", y_log=True),
    Panel("persistence", r"$t\;/\;\tau$", r"$F(t)$", y_limits=(-0.03, 1.05)),
    Panel(
        "renewal_slope", r"$s\,\tau$", r"$\mathrm{d}\ln N/\mathrm{d}\ln s$", levels=(-2, -5 / 3),
    ),
    Panel(
        "event_persistence", r"$t\;/\;\tau$", r"$\langle p(t) \rangle$", levels=(0.5,),
        y_limits=(-0.03, 1.05),
    ),
    Panel("event_chi_4", r"$t\;/\;\tau$", r"$\chi_4(t)$ of the persistence"),
    Panel("event_s_4", r"$q$", r"$S_4(q,\tau_\alpha)$", y_log=True),
)  # fmt: skip


def draw_statistics(path: Path, curves: Mapping[str, Curve], title: str) -> None:
    """Draw a panel for each kind of curve."""
    shown = [
        (panel, family)
        for panel in PANELS
        if (
            family := [
                curve
                for name, curve in curves.items()
                if name.startswith(panel.name) and _has_points(panel, curve)
            ]
        )
    ]
    rows = max(1, -(-len(shown) // COLUMNS))
    with drawing(path, 4.6 * COLUMNS, 3.6 * rows + 0.6) as figure:
        figure.suptitle(title)
        grid = np.atleast_1d(figure.subplots(rows, COLUMNS)).ravel()
        for number, (axes, (panel, family)) in enumerate(zip(grid, shown, strict=False)):
            _draw_panel(axes, panel, family)
            label_panel(axes, ascii_lowercase[number])
        for axes in grid[len(shown) :]:
            axes.set_axis_off()


def _has_points(panel: Panel, curve: Curve) -> bool:
    """Tell whether a curve has a point on the axes of its panel; a short run may have none."""
    points = np.isfinite(curve.x) & np.isfinite(curve.value)
    if panel.x_log:
        points &= curve.x > 0
    if panel.y_log:
        points &= curve.value > 0
    return bool(points.any())


def _draw_panel(axes: Axes, panel: Panel, family: list[Curve]) -> None:
    colours = [BLUE] if len(family) == 1 else list(sequence(len(family)))
    for curve, colour in zip(family, colours, strict=True):
        label = f"$t={curve.parameters['lag']:.3g}$" if len(family) > 1 else None
        error = np.nan_to_num(curve.error)
        axes.errorbar(curve.x, curve.value, error, fmt="o", color=colour, markersize=3, label=label)
    for level in panel.levels:
        axes.axhline(level, color=GREY, linewidth=0.8, linestyle="--", zorder=0)
    if panel.x_log:
        axes.set_xscale("log")
    if panel.y_log:
        axes.set_yscale("log")
        values = np.concatenate([curve.value[curve.value > 0] for curve in family])
        axes.set_ylim(values.min() / 3, values.max() * 3)
    elif panel.y_limits:
        axes.set_ylim(*panel.y_limits)
    axes.set(xlabel=panel.x_label, ylabel=panel.y_label)
    if len(family) > 1:
        axes.legend(fontsize=9)
