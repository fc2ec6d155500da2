"""Panels of curves, one for each kind, side by side: avalanches, and the other statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from epmpi.analysis.curve import Curve, FittedLaw
from epmpi.analysis.figures.style import BLACK, BLUE, GREY, drawing, label_panels, sequence

COLUMNS = 3
SYMBOLS = {"lag": "t", "threshold": "x_0"}  # of what distinguishes the curves of a panel


@dataclass(frozen=True)
class Panel:
    """Axes and labels of one curve, or of a family of curves with names of one pattern.

    Attributes
    ----------
    names : str
        Pattern with ``*``, as of file names.
    """

    names: str
    x_label: str
    y_label: str
    x_log: bool = True
    y_log: bool = False
    levels: tuple[float, ...] = ()
    y_limits: tuple[float, float] | None = None

    def shows(self, name: str) -> bool:
        """Tell whether a curve of this name belongs here."""
        return fnmatchcase(name, self.names)


AVALANCHES = (
    Panel("*_sizes", r"$S$", r"$P(S)$", y_log=True),
    Panel("*_durations", r"$t\;/\;\tau$", r"$\langle S \rangle$", y_log=True),
    Panel("*_sites", r"$S$", "distinct sites", y_log=True),
    Panel("distance_distribution", r"$x\;/\;\sigma_Y$", r"$P(x)$", y_log=True),
    Panel("weakest_distance", r"$x\;/\;\sigma_Y$ of sites that yield", "density", x_log=False),
    Panel("burst_time", r"gap $/\;\tau$", "share of the time in bursts"),
)
STATISTICS = (
    Panel("unit_displacement*", r"$u$", r"$P(u)$", y_log=True),
    Panel("displacement_correlation*", r"$t\;/\;\tau$", r"$C_u(t)$", levels=(0,)),
    Panel("van_hove*", r"$r$", r"$G_s(r,t)$", y_log=True),
    Panel("alpha_2*", r"$t\;/\;\tau$", r"$\alpha_2(t)$", levels=(0,)),
    Panel("overlap*", r"$t\;/\;\tau$", r"$Q(t)$", y_limits=(-0.03, 1.05)),
    Panel("chi_4*", r"$t\;/\;\tau$", r"$\chi_4(t)$"),
    Panel("local_q_exponent*", r"$q$", r"$n(q)$", levels=(1, 2), y_limits=(0.5, 3.5)),
    Panel(
        "stress_distribution*", r"$\sigma\;/\;\sigma_Y$", r"$P(\sigma)$", x_log=False, y_log=True,
    ),
    Panel("stress_correlation*", r"$t\;/\;\tau$", r"$C_\sigma(t)$", levels=(0,)),
    Panel("waiting_times*", r"$\tau_{ev}\;/\;\tau$", r"$\psi(\tau_{ev})$", y_log=True),
    Panel("persistence*", r"$t\;/\;\tau$", r"$F(t)$", y_limits=(-0.03, 1.05)),
    Panel(
        "renewal_slope*", r"$s\,\tau$", r"$\mathrm{d}\ln N/\mathrm{d}\ln s$", levels=(-2, -5 / 3),
    ),
    Panel(
        "event_persistence*", r"$t\;/\;\tau$", r"$\langle p(t) \rangle$", levels=(0.5,),
        y_limits=(-0.03, 1.05),
    ),
    Panel("event_chi_4*", r"$t\;/\;\tau$", r"$\chi_4(t)$ of the persistence"),
    Panel("event_s_4*", r"$q$", r"$S_4(q,t)$", y_log=True),
)  # fmt: skip


def draw_panels(
    path: Path,
    panels: Sequence[Panel],
    curves: Mapping[str, Curve],
    title: str,
    laws: Mapping[str, FittedLaw] | None = None,
) -> None:
    """Draw those panels that have a curve, with the laws that were fitted, by the same names."""
    found = [
        (panel, [c for name, c in curves.items() if panel.shows(name) and _has_points(panel, c)])
        for panel in panels
    ]
    shown = [(panel, family) for panel, family in found if family]
    rows = max(1, -(-len(shown) // COLUMNS))
    with drawing(path, 4.6 * COLUMNS, 3.6 * rows + 0.6, title) as figure:
        grid = np.atleast_1d(figure.subplots(rows, COLUMNS)).ravel()
        for axes, (panel, family) in zip(grid, shown, strict=False):
            _draw_panel(axes, panel, family, laws or {})
        label_panels(*grid[: len(shown)])
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


def _draw_panel(
    axes: Axes, panel: Panel, family: list[Curve], laws: Mapping[str, FittedLaw]
) -> None:
    colours = [BLUE] if len(family) == 1 else list(sequence(len(family)))
    for curve, colour in zip(family, colours, strict=True):
        label = _label(curve) if len(family) > 1 else None
        error = np.nan_to_num(curve.error)
        axes.errorbar(curve.x, curve.value, error, fmt="o", color=colour, markersize=3, label=label)
        if law := laws.get(curve.name):
            _draw_law(axes, curve, law)
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
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize=9)


def _label(curve: Curve) -> str:
    """Return what distinguishes a curve of a family."""
    [name] = SYMBOLS.keys() & curve.parameters.keys()
    return f"${SYMBOLS[name]}={curve.parameters[name]:.3g}$"


def _draw_law(axes: Axes, curve: Curve, law: FittedLaw) -> None:
    """Draw a fitted power, with its cutoff if it has one, at the height of the points."""
    inside = (curve.x >= law.span[0]) & (curve.x <= law.span[1]) & (curve.value > 0)
    x = np.geomspace(*law.span, 100)
    name, sign = ("theta", 1) if "theta" in law.names else ("exponent", -1)
    exponent, error = law.parameter(name)

    def shape(at: NDArray[np.float64]) -> NDArray[np.float64]:
        cut = np.exp(-at / law.parameter("cutoff")[0]) if "cutoff" in law.names else 1.0
        return np.asarray(at ** (sign * exponent) * cut)

    height = np.exp(np.mean(np.log(curve.value[inside] / shape(curve.x[inside]))))
    symbol = r"$\theta$" if name == "theta" else "exponent"
    axes.plot(x, height * shape(x), color=BLACK, linewidth=1.0, zorder=4,
              label=f"{symbol} {exponent:.3f} +- {error:.3f}")  # fmt: skip
