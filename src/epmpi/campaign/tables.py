"""The table and the figure of a scan."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from epmpi.analysis.figures.style import drawing, sequence
from epmpi.analysis.notation import significant
from epmpi.campaign.quantities import Mean

Table = Sequence[tuple[Mapping[str, Any], Mapping[str, Mean]]]


def write_table(directory: Path, table: Table, quantities: Sequence[str]) -> None:
    """Write table.md for the eye and table.h5 for the next program."""
    keys = list(dict.fromkeys(key for changes, _ in table for key in changes))
    lines = ["| " + " | ".join([*keys, *quantities, "seeds"]) + " |"]
    lines.append("|" + "---|" * (len(keys) + len(quantities) + 1))
    for changes, means in table:
        cells = [as_text(changes.get(key, "")) for key in keys]
        cells += [significant(means[name].value, means[name].error) for name in quantities]
        lines.append("| " + " | ".join([*cells, str(max(m.seeds for m in means.values()))]) + " |")
    (directory / "table.md").write_text("\n".join(lines) + "\n")
    with h5py.File(directory / "table.h5", "w") as file:
        for key in keys:
            file[f"parameters/{key}"] = [as_text(changes.get(key, "")) for changes, _ in table]
        for name in quantities:
            group = file.create_group(f"quantities/{name}")
            group["value"] = [means[name].value for _, means in table]
            group["value_error"] = [means[name].error for _, means in table]
            group["seeds"] = [means[name].seeds for _, means in table]


def draw_scan(path: Path, table: Table, quantities: Sequence[str]) -> None:
    """Draw a panel a quantity against the first key, a curve for each of the other keys' values."""
    first = next(iter(table[0][0]), "")
    families: dict[str, list[tuple[float, Mapping[str, Mean]]]] = {}
    for number, (changes, means) in enumerate(table):
        rest = [f"{key.split('.')[-1]} {as_text(v)}" for key, v in changes.items() if key != first]
        families.setdefault(", ".join(rest), []).append((_place(changes.get(first), number), means))
    columns = min(3, len(quantities))
    rows = -(-len(quantities) // columns)
    with drawing(path, 4.8 * columns, 3.8 * rows) as figure:
        grid = np.atleast_1d(figure.subplots(rows, columns)).ravel()
        for axes, name in zip(grid, quantities, strict=False):
            for (label, points), colour in zip(
                families.items(), sequence(len(families)), strict=True
            ):
                x = [place for place, _ in points]
                y = [means[name].value for _, means in points]
                error = np.nan_to_num([means[name].error for _, means in points])
                axes.errorbar(x, y, error, fmt="o-", color=colour, label=label, linewidth=0.8)
            axes.set(xlabel=first, ylabel=name)
            if "shape" in first:
                axes.set_xscale("log", base=2)
        if any(families):
            grid[0].legend(fontsize=8)
        for axes in grid[len(quantities) :]:
            axes.set_axis_off()


def _place(value: Any, number: int) -> float:
    """Return where a value stands on the axis: a number itself, a shape its length."""
    if isinstance(value, list):
        return float(math.sqrt(math.prod(value)))
    return float(value) if isinstance(value, int | float) else float(number)


def as_text(value: Any) -> str:
    """Return a value of a key as a short text."""
    if isinstance(value, list):
        return "x".join(as_text(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
