"""Avalanches: P(S), S against duration and distinct sites, P(x), the weakest sites, the bursts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from epmpi.analysis.curve import Curve, FittedLaw
from epmpi.analysis.figures.panels import Panel, draw_panels

PANELS = (
    Panel("*_sizes", r"$S$", r"$P(S)$", y_log=True),
    Panel("*_durations", r"$t\;/\;\tau$", r"$\langle S \rangle$", y_log=True),
    Panel("*_sites", r"$S$", "distinct sites", y_log=True),
    Panel("distance_distribution", r"$x\;/\;\sigma_Y$", r"$P(x)$", y_log=True),
    Panel("weakest_distance", r"$x\;/\;\sigma_Y$ of sites that yield", "density", x_log=False),
    Panel("burst_time", r"gap $/\;\tau$", "share of the time in bursts"),
)


def draw_avalanches(
    path: Path, curves: Mapping[str, Curve], laws: Mapping[str, FittedLaw], title: str
) -> None:
    """Draw a panel for each kind of curve, with the laws that were fitted, by their names."""
    draw_panels(path, PANELS, curves, title, laws)


def is_of_avalanches(name: str) -> bool:
    """Tell whether a curve has a panel here."""
    return any(panel.shows(name) for panel in PANELS)
