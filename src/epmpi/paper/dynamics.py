"""Figure 2: D(t) of all temperatures, and the collapse of S(q,t) in each regime."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from epmpi.analysis.figures.style import BLACK, GREY, drawing, sequence
from epmpi.analysis.notation import mathtext
from epmpi.analysis.relaxation import CollapseFit, fit_window, usable_points
from epmpi.paper.measured import Measured, by_model
from epmpi.paper.printed import PRINTED

HIGHEST_Q = np.pi * 1.05  # of the collapse figures
NOTHING = "this regime is not reached"


def styles(runs: Sequence[Measured]) -> Iterator[tuple[Measured, Any, str]]:
    """Yield each run with its colour and marker: grey triangles for random, circles for thermal."""
    thermal, random = by_model(runs)
    yield from ((run, GREY, "^") for run in random)
    for run, colour in zip(thermal, sequence(len(thermal)), strict=True):
        yield run, colour, "o"


def draw_2a(path: Path, runs: Sequence[Measured]) -> None:
    """Draw D(t) of the thermal model in colour, of the random model at its activity in grey."""
    with drawing(path, 7.4, 5.4, for_page=True) as figure:
        axes = figure.subplots()
        low, high = np.inf, 0.0
        for run, colour, marker in styles(runs):
            if run.analysis.tracers is None:
                continue
            known = run.analysis.tracers.diffusion
            axes.errorbar(
                known.lag, known.coefficient, known.coefficient_error, fmt=f"{marker}-",
                color=colour, markersize=3.5, linewidth=0.8,
                label=None if run.case.random else rf"${run.case.temperature:g}$",
            )  # fmt: skip
            positive = known.coefficient[known.coefficient > 0]
            low, high = min(low, positive.min()), max(high, positive.max())
        axes.plot([], [], "^-", color=GREY, label="random")
        axes.set(xscale="log", yscale="log", xlabel=r"$t$")
        axes.set_ylabel(r"$D=\langle\Delta r^2\rangle/(4t)$")
        axes.set_ylim(low / 2, high * 4)
        _regimes(axes, runs)
        axes.legend(title=r"$T$", loc="upper left", bbox_to_anchor=(1, 1))


def _regimes(axes: Axes, runs: Sequence[Measured]) -> None:
    """Draw dotted lines where the coldest runs leave regime I and enter III; name the regions."""
    ends, starts = [], []
    for windows in (run.windows for run in runs if not run.case.random):
        if "I" in windows and "II" in windows:
            ends.append((windows["I"].stop * windows["II"].start) ** 0.5)
        if "II" in windows:
            starts.append(windows["II"].stop)
    low, high = axes.get_xlim()
    edges = [low, *([np.median(ends)] if ends else []), *([max(starts)] if starts else []), high]
    for edge in edges[1:-1]:
        axes.axvline(edge, color=BLACK, linestyle=":", linewidth=1)
    if len(edges) == 4:
        for name, left, right in zip(("I", "II", "III"), edges[:-1], edges[1:], strict=True):
            axes.annotate(
                name, (np.sqrt(left * right), 0.94), xycoords=("data", "axes fraction"), ha="center"
            )
    axes.set_xlim(low, high)


def draw_collapse(path: Path, runs: Sequence[Measured], regime: str) -> None:
    """Draw S of a regime against q^n t with n of the paper, and its fit; raw data in the inset.

    Regime III is fitted at gamma = 1 too.
    """
    n, gamma = PRINTED[f"n_{regime}"].value, 1.0 if regime == "III" else None
    (run,) = runs
    with drawing(path, 6.4, 5.2, for_page=True) as figure:
        axes = figure.subplots()
        axes.set_title(
            rf"$T={run.case.temperature:g}$, $L={run.case.size}$, regime {regime}", loc="left"
        )
        tracers, window = run.analysis.tracers, run.windows.get(regime)
        factor = tracers.structure_factor if tracers else None
        fit = fit_window(factor, window, n, gamma) if factor and window else None
        if factor is None or window is None or fit is None:
            axes.annotate(NOTHING, (0.5, 0.5), xycoords="axes fraction", ha="center")
            return
        inset = axes.inset_axes((0.13, 0.13, 0.40, 0.40))
        usable = usable_points(factor, window)
        shown = np.flatnonzero((factor.q <= HIGHEST_Q) & usable.any(axis=1))
        span = []
        for index, colour in zip(shown, sequence(shown.size), strict=True):
            kept = usable[index]
            scaled = factor.q[index] ** n * factor.lag[kept]
            span += [scaled.min(), scaled.max()]
            axes.plot(
                scaled, factor.value[index, kept], "o", color=colour, markersize=5,
                label=f"{factor.q[index] / np.pi:.2f}",
            )  # fmt: skip
            inset.plot(factor.lag, factor.value[index], "-", color=colour, linewidth=1)
        line = np.geomspace(min(span), max(span), 200)
        axes.plot(line, np.exp(-fit.alpha * line**fit.gamma), "--", color=BLACK, label=_law(fit))
        inset.axvspan(window.start, window.stop, color=GREY, alpha=0.15, linewidth=0)
        inset.set(xscale="log", ylim=(0, 1.05), xlabel="$t$")
        inset.set_ylabel("$S(q,t)$", labelpad=2)
        inset.tick_params(labelsize=9)
        low = min(factor.value[index, usable[index]].min() for index in shown)
        axes.set(xscale="log", xlabel=rf"$q^{{{n:g}}}\,t$", ylabel=r"$S(q,t)\,/\,S(q,0)$")
        axes.set_ylim(min(0.9 * low, 0.95) if low > 0.8 else 0, 1.03)
        axes.set_xlim(min(span) / 30, max(span) * 2)
        axes.legend(title=r"$q\,/\,\pi$", loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=10)


def _law(fit: CollapseFit) -> str:
    """Return the fitted law for a legend."""
    gamma = mathtext(fit.gamma, fit.gamma_error) if fit.gamma_error > 0 else f"{fit.gamma:g}"
    return rf"$\gamma={gamma}$" + "\n" + rf"$\alpha={mathtext(fit.alpha, fit.alpha_error)}$"
