"""The figure of a scan: a panel for each quantity, with the laws that were fitted to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from epmpi.analysis.figures.style import GREY, PALETTE, drawing, sequence
from epmpi.campaign.families import (
    BOOKKEEPING,
    Table,
    axis_text,
    families,
    label_of,
    place_of,
)
from epmpi.campaign.laws import FamilyFit
from epmpi.campaign.tables import keys_of

MARKERS = ("o", "s", "^")
LEGEND = 11  # points

Array = NDArray[np.float64]
Across = Callable[[Array], Array]
# Label of the abscissa of a law, and its function of the key; the key itself for other laws.
ACROSS: dict[str, tuple[str, Across]] = {
    "arrhenius": ("1/T", np.reciprocal),
    "arrhenius_curved": ("1/T", np.reciprocal),
    "second_order": ("step$^2$", np.square),
}


def draw_scan(
    path: Path, table: Table, quantities: Sequence[str], fits: Sequence[FamilyFit]
) -> None:
    """Draw each quantity against the key of its fit, or against the first key; families in colour.

    The abscissa of an Arrhenius law is 1/T, that of the bias of a time step (in per cent) the step
    squared, that of a logarithmic law ln L.
    """
    shown = [name for name in quantities if any(np.isfinite(m[name].value) for _, m in table)]
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    with drawing(path, 4.8 * columns, 3.9 * rows + 1.2, for_page=True) as figure:
        grid = np.atleast_1d(figure.subplots(rows, columns)).ravel()
        keys = [key for key in keys_of(table) if key not in BOOKKEEPING]
        first = fits[0].request.against if fits else (keys[0] if keys else "")
        for axes, name in zip(grid, shown, strict=False):
            _draw(axes, table, name, first, [fit for fit in fits if fit.request.quantity == name])
        for axes in grid[len(shown) :]:
            axes.set_axis_off()
        handles, labels = grid[0].get_legend_handles_labels()
        if any(labels):
            figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=LEGEND)


def _draw(axes: Axes, table: Table, name: str, first: str, fits: Sequence[FamilyFit]) -> None:
    axis, law = (fits[0].request.against, fits[0].request.law) if fits else (first, "")
    label, across = ACROSS.get(law, (axis, np.positive))
    of_step = law == "second_order"
    laws = {fit.label: fit for fit in fits if fit.request.law == law}
    curves = families(table, name, axis)
    # A family keeps its colour in all panels, even where others are missing.
    labels = list(dict.fromkeys(label_of(changes, axis) for changes, _ in table))
    colours = _colours(len(labels))
    for curve in curves:
        number = labels.index(curve.label)
        colour = colours[number]
        marker = MARKERS[number // len(PALETTE) % len(MARKERS)]
        fit = laws.get(curve.label)
        if of_step and fit is None:
            continue
        up = partial(_bias, fit.value[0]) if of_step and fit else np.positive
        value, error = up(curve.value), up(curve.value + curve.error)
        axes.errorbar(
            across(curve.x), value, np.abs(error - value), fmt=marker if fit else f"{marker}:",
            color=colour, label=curve.label or "defaults", linewidth=0.8, markersize=4,
        )  # fmt: skip
        if fit is not None:
            low, high = max(curve.x.min(), fit.request.low), min(curve.x.max(), fit.request.high)
            line = np.linspace(0.0 if of_step else low, high, 100)
            axes.plot(across(line), up(fit.curve(line)), color=colour, linewidth=1)
    if fits and fits[0].request.expected:
        x = np.concatenate([curve.x for curve in curves])
        line = np.linspace(x.min(), x.max(), 100)
        value = fits[0].law.function(line, *fits[0].request.expected)
        axes.plot(across(line), value, "--", color=GREY, label="expected")
    axes.set(xlabel=label, ylabel=f"bias of {name}, %" if of_step else name)
    if label == "1/T":
        axes.set_yscale("log")
    if "shape" in axis:
        axes.set_xscale("log", base=2)
        axes.set_xlabel("L")
    if not all(place_of(changes.get(axis), -1) != -1 for changes, _ in table):
        texts = [axis_text(changes, axis) or str(n) for n, (changes, _) in enumerate(table)]
        axes.set_xticks(range(len(texts)), texts, rotation=20, ha="right", fontsize=9)


def _bias(limit: float, value: Array) -> Array:
    """Return the difference of a value from the limit of small steps, in per cent."""
    return 100 * (value / limit - 1)


def _colours(number: int) -> list[Any]:
    """Return a colour for each family: a sequence if they are few, distinct hues if many."""
    if number <= 5:
        return list(sequence(number))
    return [PALETTE[k % len(PALETTE)] for k in range(number)]
