"""Figure 2: D(t) of all temperatures, and the collapse of S(q,t) in each regime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from epmpi.analysis import Analysis
from epmpi.analysis.figures.style import BLACK, GREY, drawing, sequence
from epmpi.analysis.notation import mathtext
from epmpi.analysis.regimes import Window
from epmpi.analysis.relaxation import CollapseFit, fit_window, usable_points
from epmpi.paper.measured import Measured

HIGHEST_Q = np.pi * 1.05  # of the collapse figures
NOTHING = "this regime is not reached"


def draw_2a(path: Path, runs: Sequence[Measured]) -> None:
    """Draw D(t) of the thermal model in colour, of the random model at its activity in grey."""
    thermal = sorted((run for run in runs if not run.case.random), key=_temperature)
    with drawing(path, 7.4, 5.4, for_page=True) as figure:
        axes = figure.subplots()
        for run in runs:
            if run.case.random and run.analysis.tracers:
                _diffusion(axes, run, GREY, "^")
        for run, colour in zip(thermal, sequence(len(thermal)), strict=True):
            _diffusion(axes, run, colour, "o", rf"${run.case.temperature:g}$")
        axes.plot([], [], "^-", color=GREY, label="random")
        axes.set(xscale="log", yscale="log", xlabel=r"$t$")
        axes.set_ylabel(r"$D=\langle\Delta r^2\rangle/(4t)$")
        tracers = [run.analysis.tracers for run in runs if run.analysis.tracers]
        coefficients = [one.diffusion.coefficient[one.diffusion.coefficient > 0] for one in tracers]
        low, high = min(c.min() for c in coefficients), max(c.max() for c in coefficients)
        axes.set_ylim(low / 2, high * 4)
        _regimes(axes, thermal)
        axes.legend(title=r"$T$", loc="upper left", bbox_to_anchor=(1, 1))


def _temperature(run: Measured) -> float:
    return run.case.temperature


def _diffusion(
    axes: Axes, run: Measured, colour: object, marker: str, label: str | None = None
) -> None:
    tracers = run.analysis.tracers
    if tracers is None:
        return
    known = tracers.diffusion
    axes.errorbar(
        known.lag,
        known.coefficient,
        known.coefficient_error,
        fmt=f"{marker}-",
        color=colour,
        markersize=3.5,
        linewidth=0.8,
        label=label,
    )


def _regimes(axes: Axes, thermal: Sequence[Measured]) -> None:
    """Draw dotted lines where the coldest runs leave regime I and enter III; name the regions."""
    ends, starts = [], []
    for run in thermal:
        windows = {w.name: w for w in run.analysis.tracers.windows} if run.analysis.tracers else {}
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


def window_of(analysis: Analysis, name: str) -> Window | None:
    """Return a regime of a run, or None where it is not reached."""
    tracers = analysis.tracers
    found = [window for window in tracers.windows if window.name == name] if tracers else []
    return found[0] if found else None


def fit_at(
    analysis: Analysis, name: str, n: float, gamma: float | None = None
) -> CollapseFit | None:
    """Return the fit of a regime at fixed n, and gamma if given; None where it is not reached."""
    window = window_of(analysis, name)
    if window is None or analysis.tracers is None:
        return None
    return fit_window(analysis.tracers.structure_factor, window, n=n, gamma=gamma)


def draw_2b(path: Path, runs: Sequence[Measured]) -> None:
    """Draw regime I against q^1.125 t, the raw data in the inset."""
    _draw_collapse(path, runs, "I", 1.125)


def draw_2c(path: Path, runs: Sequence[Measured]) -> None:
    """Draw regime II against q^2.3 t, the raw data in the inset."""
    _draw_collapse(path, runs, "II", 2.3)


def draw_2d(path: Path, runs: Sequence[Measured]) -> None:
    """Draw regime III against q^2 t, the raw data in the inset."""
    _draw_collapse(path, runs, "III", 2.0, gamma=1.0)


def _draw_collapse(
    path: Path, runs: Sequence[Measured], name: str, n: float, gamma: float | None = None
) -> None:
    """Draw S against q^n t with the exponent of the paper, and its fit; raw data in the inset."""
    run = next((one for one in runs if not one.case.random), None)
    with drawing(path, 6.4, 5.2, for_page=True) as figure:
        axes = figure.subplots()
        if run is None:
            axes.annotate("not run", (0.5, 0.5), xycoords="axes fraction", ha="center")
            return
        axes.set_title(
            rf"$T={run.case.temperature:g}$, $L={run.case.size}$, regime {name}", loc="left"
        )
        window, fit = window_of(run.analysis, name), fit_at(run.analysis, name, n, gamma)
        if window is None or fit is None or run.analysis.tracers is None:
            axes.annotate(NOTHING, (0.5, 0.5), xycoords="axes fraction", ha="center")
            return
        factor = run.analysis.tracers.structure_factor
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
        axes.plot(line, np.exp(-fit.alpha * line**fit.gamma), "--", color=BLACK, label=law(fit))
        inset.axvspan(window.start, window.stop, color=GREY, alpha=0.15, linewidth=0)
        inset.set(xscale="log", ylim=(0, 1.05), xlabel="$t$")
        inset.set_ylabel("$S(q,t)$", labelpad=2)
        inset.tick_params(labelsize=9)
        low = min(factor.value[index, usable[index]].min() for index in shown)
        axes.set(xscale="log", xlabel=rf"$q^{{{n:g}}}\,t$", ylabel=r"$S(q,t)\,/\,S(q,0)$")
        axes.set_ylim(min(0.9 * low, 0.95) if low > 0.8 else 0, 1.03)
        axes.set_xlim(min(span) / 30, max(span) * 2)
        axes.legend(title=r"$q\,/\,\pi$", loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=10)


def law(fit: CollapseFit) -> str:
    """Return the fitted law for a legend."""
    gamma = mathtext(fit.gamma, fit.gamma_error) if fit.gamma_error > 0 else f"{fit.gamma:g}"
    return rf"$\gamma={gamma}$" + "\n" + rf"$\alpha={mathtext(fit.alpha, fit.alpha_error)}$"
