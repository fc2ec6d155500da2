"""Figure 3: P(u), psi(tau_ev), C_u(t) with the random walk's N(s), and C_sigma."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from epmpi.analysis.curve import Curve
from epmpi.analysis.figures.style import BLACK, drawing
from epmpi.paper.dynamics import styles
from epmpi.paper.measured import Measured

Scale = Callable[[Curve, float], Curve]
LOWER_LEFT = (0.22, 0.14, 0.34, 0.36)


def _raw(curve: Curve, activity: float) -> Curve:
    return curve


def draw_3a(path: Path, runs: Sequence[Measured]) -> None:
    """Draw P(u) sqrt(a) against u/sqrt(a), raw in the inset."""
    with _with_inset(path, LOWER_LEFT, yscale="log") as (axes, inset):
        _family(axes, runs, "unit_displacement", lambda c, a: c.scaled(a**-0.5, a**0.5))
        _family(inset, runs, "unit_displacement", _raw, small=True)
        _guide(axes, (0.012, 0.12), 1, 0.3, r"$u^{1}$")
        _guide(axes, (1.5, 7), -3, 3.0, r"$u^{-3}$")
        _span(axes, 8)
        _span(inset, 9)
        axes.set(xlabel=r"$u/\sqrt{a}$", ylabel=r"$P(u)\,\sqrt{a}$")
        inset.set(xlabel="$u$")
        inset.set_ylabel("$P(u)$", labelpad=1)


def draw_3b(path: Path, runs: Sequence[Measured]) -> None:
    """Draw psi/a against a tau_ev, raw in the inset."""
    with _with_inset(path, LOWER_LEFT, yscale="log") as (axes, inset):
        _family(axes, runs, "waiting_times", lambda c, a: c.scaled(a, 1 / a))
        _family(inset, runs, "waiting_times", _raw, small=True)
        _guide(axes, (0.02, 0.6), -2 / 3, 3.0, r"$(a\tau_{ev})^{-2/3}$")
        _span(axes, 9)
        axes.set(xlabel=r"$a\,\tau_{ev}$", ylabel=r"$\psi(\tau_{ev})\,/\,a$")
        inset.set(xlabel=r"$\tau_{ev}$")
        inset.set_ylabel(r"$\psi$", labelpad=1)


def draw_3c(path: Path, runs: Sequence[Measured]) -> None:
    """Draw C_u(t), and N(s) of the random walk in the inset."""
    with _with_inset(path, (0.50, 0.50, 0.46, 0.46)) as (axes, inset):
        _family(axes, runs, "displacement_correlation", _raw)
        # Waits and times both scaled by the activity: N(a s) of psi(a tau_ev).
        _family(inset, runs, "renewal_count", lambda c, a: c.scaled(1 / a, a), small=True)
        inset.set(yscale="log", xlabel="$s/a$", ylabel="$a\\,N(s)$")
        for x, slope, label in (((0.03, 0.3), -2, "$s^{-2}$"), ((3, 30), -5 / 3, "$s^{-5/3}$")):
            _guide(inset, x, slope, 4.0, label)
        axes.axhline(0, color=BLACK, linewidth=0.8, linestyle="--")
        axes.set(xlabel="$t$", ylabel="$C_u(t)$", xlim=(0.9, None), ylim=(-0.25, 0.7))


def draw_3d(path: Path, runs: Sequence[Measured]) -> None:
    """Draw C_sigma against a t, against t in the inset."""
    with _with_inset(path, (0.56, 0.52, 0.41, 0.41)) as (axes, inset):
        _family(axes, runs, "stress_correlation", lambda c, a: c.scaled(a, 1.0))
        _family(inset, runs, "stress_correlation", _raw, small=True)
        for box in (axes, inset):
            box.set(ylim=(-0.1, 1.05))
            box.axhline(0, color=BLACK, linewidth=0.8, linestyle="--")
        axes.set(xlabel=r"$a\,t$", ylabel=r"$C_\sigma$", xlim=(0.03, 2000))
        inset.set(xlabel="$t$")
        inset.set_ylabel(r"$C_\sigma$", labelpad=1)


@contextmanager
def _with_inset(
    path: Path, place: tuple[float, float, float, float], yscale: str = "linear"
) -> Iterator[tuple[Axes, Axes]]:
    """Hand out the axes of a figure and an inset, over a logarithmic x; add the legend."""
    with drawing(path, 6.4, 5.2, for_page=True) as figure:
        axes = figure.subplots()
        inset = axes.inset_axes(place)
        for box in (axes, inset):
            box.set(xscale="log", yscale=yscale)
        yield axes, inset
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))


def _family(
    axes: Axes, runs: Sequence[Measured], name: str, scale: Scale, small: bool = False
) -> None:
    """Draw a curve for each run: coloured circles for thermal, grey triangles for random."""
    for run, colour, marker in styles(runs):
        if name not in run.analysis.curves:
            continue
        curve = scale(run.analysis.curves[name], run.activity.value)
        # Points that are mostly error are left out of a logarithmic axis.
        room = 0.5 * np.abs(curve.value) if axes.get_yscale() == "log" else 0.25
        shown = np.nan_to_num(curve.error) < room
        if small:
            axes.plot(
                curve.x[shown], curve.value[shown], marker, color=colour, markersize=2,
            )  # fmt: skip
        else:
            axes.errorbar(
                curve.x[shown], curve.value[shown], np.nan_to_num(curve.error[shown]),
                fmt=marker, color=colour, markersize=4, elinewidth=0.8, capsize=0, label=run.label,
            )  # fmt: skip
    axes.tick_params(labelsize=9 if small else None)


def _span(axes: Axes, decades: float) -> None:
    """Show the upper decades of a logarithmic axis: below them are only single counts."""
    low, high = axes.dataLim.intervaly
    axes.set_ylim(max(low / 2, high * 10**-decades), high * 10)


def _guide(axes: Axes, x: tuple[float, float], exponent: float, above: float, label: str) -> None:
    """Draw a dashed power law, a factor `above` the data, as in the paper."""
    lines = [line for line in axes.lines if line.get_marker() in ("o", "^")]
    data = np.concatenate([np.empty((0, 2)), *(np.asarray(line.get_xydata()) for line in lines)])
    near = data[(data[:, 0] > x[0]) & (data[:, 0] < x[1]) & (data[:, 1] > 0)]
    if not len(near):
        return
    height = above * np.median(near[:, 1] * near[:, 0] ** -exponent)
    span = np.array(x)
    axes.plot(span, height * span**exponent, "--", color=BLACK, linewidth=1.2)
    middle = np.sqrt(span[0] * span[1])
    beside = (6, -12) if above < 1 else (6, 4)  # on the side away from the data
    axes.annotate(
        label, (middle, height * middle**exponent), textcoords="offset points", xytext=beside
    )
