"""Figure of a scaling study: time a step, efficiency and share of the exchange over ranks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from epmpi.analysis.figures.style import GREY, PALETTE, drawing, label_panel
from performance.calibration import Measurement
from performance.figures import size_label
from performance.study import Family, efficiency, share, strong_families, weak_families


def plot_scaling(file: Path, measured: Sequence[Measurement]) -> None:
    """Draw three panels: strong scaling as full lines, weak scaling as dashed ones.

    Lattices have colours; open symbols are steps without tracers.
    """
    strong, weak = strong_families(measured), weak_families(measured)
    lengths = sorted({family[0].work.length for family in (*strong, *weak)})
    colours = {n: PALETTE[k % len(PALETTE)] for k, n in enumerate(lengths)}
    with drawing(file, 16.0, 5.2) as figure:
        times, reached, exchange = figure.subplots(1, 3, gridspec_kw={"wspace": 0.06})
        for family, line in [*((f, "-") for f in strong), *((f, "--") for f in weak)]:
            ranks = [m.work.ranks for m in family]
            look = {
                "color": colours[family[0].work.length],
                "linestyle": line,
                "marker": "o",
                "markerfacecolor": None if family[0].work.tracers else "white",
            }
            times.plot(ranks, [1e3 * m.seconds for m in family], **look)
            reached.plot(ranks, efficiency(family), **look)
            exchange.plot(ranks, [100 * share(m) for m in family], **look)
        for family in strong:
            ideal(times, family)
        times.set(ylabel="time a step (ms)", yscale="log")
        reached.axhline(1.0, color=GREY, linestyle=":")
        reached.set(ylabel="efficiency", ylim=(0, max(1.1, reached.get_ylim()[1])))
        exchange.set(ylabel="exchange in a step (%)", ylim=(0, None))
        all_ranks = sorted({m.work.ranks for m in measured})
        for axes, letter in zip((times, reached, exchange), "abc", strict=True):
            axes.set_xscale("log", base=2)
            axes.set_xticks(all_ranks, [str(p) for p in all_ranks], minor=False)
            axes.set(xlabel="ranks")
            label_panel(axes, letter)
        figure.legend(handles=legend(colours, strong, weak), loc="outside right center")


def ideal(axes: Axes, family: Family) -> None:
    """Draw the time that perfect strong scaling from the fewest ranks would give."""
    ranks = [m.work.ranks for m in family]
    first = 1e3 * family[0].seconds * ranks[0]
    axes.plot(ranks, [first / p for p in ranks], color=GREY, linestyle=":", linewidth=1.0)


def legend(
    colours: dict[int, str], strong: Sequence[Family], weak: Sequence[Family]
) -> list[Line2D]:
    """Return the entries of the legend: sizes, then lines and symbols that occur."""
    entries = [
        Line2D([], [], color=colour, marker="o", label="$L = $" + size_label(length))
        for length, colour in colours.items()
    ]
    if strong:
        entries.append(Line2D([], [], color=GREY, label="strong scaling"))
        entries.append(Line2D([], [], color=GREY, linestyle=":", label="ideal"))
    if weak:
        entries.append(Line2D([], [], color=GREY, linestyle="--", label="weak, from $L$"))
    densities = {bool(family[0].work.tracers) for family in (*strong, *weak)}
    if densities == {True, False}:
        entries.append(Line2D([], [], color=GREY, marker="o", ls="", label="with tracers"))
        entries.append(
            Line2D([], [], color=GREY, marker="o", mfc="white", ls="", label="without tracers")
        )
    return entries
