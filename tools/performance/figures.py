"""Figures of predictions: time, efficiency, and what holds a step back, over ranks and sizes."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from epmpi.analysis.figures.style import (
    BLUE,
    GREEN,
    GREY,
    VERMILION,
    drawing,
    label_panel,
    sequence,
)
from performance.model import Machine, efficiencies
from performance.report import PAYS, Families, bound

COLOURS = {"computing": GREEN, "bytes sent": BLUE, "messages": VERMILION}


def plot_predictions(file: Path, machine: Machine, families: Families) -> None:
    """Draw three panels: time a step, efficiency, and the map of what a step is bound by."""
    with drawing(file, 17.0, 5.4) as figure:
        times, shares, bounds = figure.subplots(1, 3, gridspec_kw={"wspace": 0.06})
        colours = sequence(len(families))
        for family, colour in zip(families, colours, strict=True):
            ranks = [p.work.ranks for p in family]
            spent = [1e3 * p.seconds for p in family]
            times.plot(ranks, spent, "o-", color=colour)
            times.annotate(
                size_label(family[0].work.length), (ranks[0], spent[0]), (-8, 0),
                textcoords="offset points", ha="right", va="center", color=colour,
            )  # fmt: skip
            shares.plot(ranks, efficiencies(family), "o-", color=colour)
        times.set(xlabel="ranks", ylabel="time a step (ms)", yscale="log")
        shares.axhline(PAYS, color=GREY, linestyle=":")
        shares.set(xlabel="ranks", ylabel="efficiency (fewest that fit: 1)", ylim=(0, 1.05))
        nodes = machine.network.ranks_per_node
        for axes in (times, shares):
            axes.set_xscale("log", base=2)
            axes.axvline(nodes, color=GREY, linestyle="--", linewidth=1.0)
        times.set_xlim(left=0.35)  # room for the sizes
        times.set_title("$L$ at the curves", loc="right", color=GREY)
        shares.text(nodes, 1.0, " one node", color=GREY, va="top")
        draw_bounds(bounds, families)
        for axes, letter in zip((times, shares, bounds), "abc", strict=True):
            label_panel(axes, letter)
        figure.suptitle(f"Predicted, not measured: {machine.description}")


def size_label(length: int) -> str:
    """Return 2^k for powers of two, the number itself for others."""
    power = length.bit_length() - 1
    return f"$2^{{{power}}}$" if length == 2**power else str(length)


def draw_bounds(axes: Axes, families: Families) -> None:
    """Draw one cell for each number of ranks and size: coloured by bound, with its efficiency."""
    ranks = sorted({p.work.ranks for family in families for p in family})
    for y, family in enumerate(families):
        for p, efficiency in zip(family, efficiencies(family), strict=True):
            x = ranks.index(p.work.ranks)
            shade = 0.9 if efficiency >= PAYS else 0.45
            axes.add_patch(
                Rectangle((x - 0.5, y - 0.5), 1, 1, color=COLOURS[bound(p)], alpha=shade, lw=0)
            )
            white = "white" if efficiency >= PAYS else "black"
            axes.text(
                x, y, f"{100 * efficiency:.0f}", ha="center", va="center", fontsize=10, color=white
            )
    axes.set(
        xlim=(-0.5, len(ranks) - 0.5),
        ylim=(-0.5, len(families) - 0.5),
        xlabel="ranks",
        ylabel="$L$",
        facecolor="0.92",
    )
    axes.set_xticks(range(len(ranks)), [str(count) for count in ranks], fontsize=10)
    axes.set_yticks(range(len(families)), [size_label(f[0].work.length) for f in families])
    axes.tick_params(length=0)
    patches = [Patch(color=colour, label=name) for name, colour in COLOURS.items()]
    patches.append(Patch(color="0.92", label="does not fit"))
    axes.legend(
        handles=patches, loc="lower center", bbox_to_anchor=(0.54, 1.0), ncols=4, fontsize=10,
        handlelength=1.0, columnspacing=1.0, title_fontsize=10,
        title="efficiency in %, coloured by what a step is bound by",
    )  # fmt: skip
