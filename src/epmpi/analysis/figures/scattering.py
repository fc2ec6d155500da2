"""S(q,t) against time with its fits and their collapse: figure 2b-d of the paper."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from epmpi.analysis.figures.style import (
    BLACK,
    GREY,
    REGIME_COLOURS,
    drawing,
    label_panels,
    sequence,
)
from epmpi.analysis.notation import mathtext
from epmpi.analysis.relaxation import CollapseFit
from epmpi.analysis.structure_factor import StructureFactor

COLLAPSE_MARKERS = {"I": "o", "II": "s", "III": "^"}


def draw_structure_factor(
    path: Path, factor: StructureFactor, fits: list[CollapseFit], title: str
) -> None:
    """Draw S(q,t)/S(q,0) against t with the fits; beside it -ln S against q^n t by window."""
    panels = 2 if fits else 1
    with drawing(path, 6.6 * panels + 0.4, 5.2, title) as figure:
        columns = np.atleast_1d(figure.subplots(1, panels))
        _draw_decay(columns[0], factor, fits)
        if fits:
            label_panels(*columns)
            _draw_collapse(columns[1], factor, fits)


def _draw_decay(axes: Axes, factor: StructureFactor, fits: list[CollapseFit]) -> None:
    for number, colour in enumerate(sequence(factor.q.size)):
        axes.errorbar(
            factor.lag,
            factor.value[number],
            factor.error[number],
            fmt="o",
            color=colour,
            markersize=4,
        )
        axes.plot([], [], "o", color=colour, label=f"{factor.q[number] / np.pi:.2f}")
        for fit in fits:
            lag = np.geomspace(fit.window.start, fit.window.stop, 100)
            axes.plot(lag, fit.curve(factor.q[number], lag), color=BLACK, linewidth=1.0)
    if fits:
        axes.plot([], [], color=BLACK, linewidth=1.0, label="fits")
    axes.axhline(np.exp(-1), color=GREY, linestyle=":", linewidth=1)
    axes.annotate(
        r"$1/e$",
        (1.01, np.exp(-1)),
        xycoords=("axes fraction", "data"),
        va="center",
        color=GREY,
    )
    axes.set(
        xscale="log",
        ylim=(-0.03, 1.05),
        xlabel=r"$t\;/\;\tau$",
        ylabel=r"$S(q,t)\,/\,S(q,0)$",
    )
    axes.legend(title=r"$q\,/\,\pi$", loc="lower left", handletextpad=0.3)


def _draw_collapse(axes: Axes, factor: StructureFactor, fits: list[CollapseFit]) -> None:
    """Draw -ln S against q^n t, so that a stretched exponential is a line of slope gamma."""
    colours = sequence(factor.q.size)
    for fit in fits:
        inside = fit.window.contains(factor.lag)
        for number, q in enumerate(factor.q):
            value = factor.value[number, inside]
            seen = (value < 1) & (value > fit.value_range[0] * (1 - 1e-9))
            scaled = q**fit.n * factor.lag[inside]
            axes.plot(
                scaled[seen],
                -np.log(value[seen]),
                COLLAPSE_MARKERS[fit.window.name],
                color=colours[number],
                markersize=4,
            )
        ends = np.array(
            [fit.q_range[0] ** fit.n * fit.window.start, fit.q_range[1] ** fit.n * fit.window.stop]
        )
        axes.plot(
            ends,
            fit.alpha * ends**fit.gamma,
            color=REGIME_COLOURS[fit.window.name],
            label=(
                f"{fit.window.name}: $n={mathtext(fit.n, fit.n_error)}$, "
                rf"$\gamma={mathtext(fit.gamma, fit.gamma_error)}$, "
                rf"$\alpha={mathtext(fit.alpha, fit.alpha_error)}$"
            ),
        )
    axes.set(
        xscale="log",
        yscale="log",
        xlabel=r"$q^{\,n}\,t\;/\;\tau$",
        ylabel=r"$-\ln[S(q,t)/S(q,0)]$",
    )
    axes.legend(loc="upper left", title=r"$S/S_0=\exp[-\alpha\,(q^n t)^\gamma]$")
