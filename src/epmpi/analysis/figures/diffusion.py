"""D(t) on logarithmic axes, with its regimes: figure 2a of the paper, for one run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from epmpi.analysis.curve import Curve
from epmpi.analysis.displacement import Diffusion
from epmpi.analysis.figures.style import BLUE, GREY, REGIME_COLOURS, drawing, label_panels
from epmpi.analysis.regimes import Window

NAMES = {"I": "ballistic", "II": "subdiffusive", "III": "diffusive"}


def draw_diffusion(
    path: Path, diffusion: Diffusion, exponent: Curve, windows: list[Window], title: str
) -> None:
    """Draw D(t) with error bars, guide slopes and regimes; below it the local exponent."""
    with drawing(path, 7.0, 6.6, title) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2.6, 1])
        for axes in (upper, lower):
            _shade(axes, windows)
        # Before the first event of a cold run nothing has moved: no place on a logarithmic axis.
        positive = diffusion.coefficient > 0
        known = diffusion.resolved
        for chosen, face in ((positive & known, BLUE), (positive & ~known, "white")):
            upper.errorbar(
                diffusion.lag[chosen],
                diffusion.coefficient[chosen],
                diffusion.coefficient_error[chosen],
                fmt="o",
                color=BLUE,
                markerfacecolor=face,
            )
        upper.set(xscale="log", ylabel=r"$D(t)=\langle\Delta r^2\rangle/4t$")
        if positive.any():
            upper.set_yscale("log")
            _guides(upper, diffusion, windows)
        _name_windows(upper, windows)
        if not known.all():
            upper.plot(
                [], [], "o", color=BLUE, markerfacecolor="white", label="error from few blocks"
            )
            upper.legend(loc="lower right")
        lower.errorbar(exponent.x, exponent.value, exponent.error, fmt="o", color=BLUE)
        for level in (1, 2):
            lower.axhline(level, color=GREY, linewidth=0.8, linestyle="--", zorder=0)
        lower.set(xlabel=r"$t\;/\;\tau$", ylabel=r"$\beta(t)$", ylim=(0, 2.2))
        label_panels(upper, lower)
        lower.set_title(
            r"$\beta=\mathrm{d}\ln\langle\Delta r^2\rangle/\mathrm{d}\ln t$", loc="right"
        )


def _shade(axes: Axes, windows: list[Window]) -> None:
    for window in windows:
        axes.axvspan(
            window.start, window.stop, color=REGIME_COLOURS[window.name], alpha=0.09, linewidth=0
        )


def _name_windows(axes: Axes, windows: list[Window]) -> None:
    """Write the name of each regime along the upper edge of its window."""
    for window in windows:
        axes.annotate(
            f"{window.name}\n{NAMES[window.name]}",
            (np.sqrt(window.start * window.stop), 0.98),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="top",
            fontsize=11,
            color=REGIME_COLOURS[window.name],
        )


def _guides(axes: Axes, diffusion: Diffusion, windows: list[Window]) -> None:
    """Draw the slopes of ballistic motion (D ~ t) and of diffusion (D constant) beside the data."""
    positive = diffusion.coefficient > 0
    low, high = diffusion.coefficient[positive].min(), diffusion.coefficient.max()
    axes.set_ylim(low / 1.6, high * 2.2)
    start = diffusion.lag[0]
    if positive.all():
        ballistic = start * np.array([1.0, 10**0.45])
        axes.plot(ballistic, 1.25 * diffusion.coefficient[0] * ballistic / start, "--", color=GREY)
        axes.annotate(
            r"$\propto t$",
            (ballistic[1], 1.25 * diffusion.coefficient[0] * ballistic[1] / start),
            textcoords="offset points",
            xytext=(-14, -2),
            ha="right",
            color=GREY,
        )
    for window in windows:
        if window.name == "III":
            inside = window.contains(diffusion.lag)
            level = np.average(diffusion.coefficient[inside], weights=diffusion.lag[inside] ** -1.0)
            axes.plot([window.start, window.stop], [level, level], "--", color=GREY)
