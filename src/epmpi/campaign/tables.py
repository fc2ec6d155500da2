"""The tables of a scan: for readers (Markdown) and for programs (CSV, HDF5)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import h5py
import numpy as np

from epmpi.analysis.fits import fit_mean
from epmpi.analysis.notation import significant
from epmpi.campaign.families import Table, as_text
from epmpi.campaign.formulas import DEFAULT_STEP
from epmpi.campaign.laws import FamilyFit, Request
from epmpi.campaign.quantities import Mean


def write_tables(
    directory: Path, table: Table, quantities: Sequence[str], fits: Sequence[FamilyFit]
) -> None:
    """Write table.md, table.csv and table.h5."""
    text = "\n".join(as_markdown(table, quantities, fits)) + "\n"
    (directory / "table.md").write_text(text, encoding="utf-8")
    keys = keys_of(table)
    with open(directory / "table.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*keys, *(x for name in quantities for x in (name, f"{name}_error"))])
        for changes, means in table:
            numbers = [x for name in quantities for x in (means[name].value, means[name].error)]
            writer.writerow(
                [as_text(changes.get(key, "")) for key in keys] + [f"{x:.6g}" for x in numbers]
            )
    with h5py.File(directory / "table.h5", "w", locking=False) as file:
        for key in keys:
            file[f"parameters/{key}"] = [as_text(changes.get(key, "")) for changes, _ in table]
        for name in quantities:
            group = file.create_group(f"quantities/{name}")
            group["value"] = [means[name].value for _, means in table]
            group["value_error"] = [means[name].error for _, means in table]
            group["seeds"] = [means[name].seeds for _, means in table]


def keys_of(table: Table) -> list[str]:
    """Return the keys that the rows change, in order."""
    return list(dict.fromkeys(key for changes, _ in table for key in changes))


def as_markdown(table: Table, quantities: Sequence[str], fits: Sequence[FamilyFit]) -> list[str]:
    """Return the rows, and a table for each law that was fitted."""
    keys = keys_of(table)
    lines = header([*keys, *quantities, "seeds"])
    for changes, means in table:
        cells = [as_text(changes.get(key, "")) for key in keys]
        cells += [_cell(means[name]) for name in quantities]
        lines.append(row([*cells, str(max(mean.seeds for mean in means.values()))]))
    for request in dict.fromkeys(fit.request for fit in fits):
        lines += ["", *_fits_of(request, [fit for fit in fits if fit.request == request])]
    return lines


def _cell(mean: Mean) -> str:
    """Return value(error), or a dash where there is no value."""
    return significant(mean.value, mean.error) if np.isfinite(mean.value) else "-"


def _fits_of(request: Request, fits: Sequence[FamilyFit]) -> list[str]:
    """Return the table of one law."""
    law = fits[0].law
    where = f", x in [{request.low:g}, {request.high:g}]" if np.isfinite(request.high) else ""
    lines = [f"Fit of {request.quantity} = {law.formula}, x = {request.against}{where}:", ""]
    known = dict(zip(law.names, request.expected, strict=False))
    columns = [
        f"{name} (expected {known[name]:g})" if name in known else name for name in law.names
    ]
    extra = ["rows over expected law"] if request.expected else []
    lines += header(["rows", *columns, "chi^2 / freedom", "p", *extra])
    for fit in fits:
        cells = [
            significant(value, error) for value, error in zip(fit.value, fit.error, strict=True)
        ]
        chance = f"{fit.probability:.2f}" if fit.freedom else "-"
        cells = [fit.label or "defaults", *cells, f"{fit.chi_square:.1f} / {fit.freedom}", chance]
        if request.expected:
            over = fit.over_expected
            cells.append(f"{over.min():.3f} ... {over.max():.3f}")
        lines.append(row(cells))
    return [*lines, *_conclusions(request, fits)]


def _conclusions(request: Request, fits: Sequence[FamilyFit]) -> list[str]:
    """Return conclusions from the fits of one law, as sentences."""
    if request.expected:
        nearest = min(fits, key=lambda fit: np.abs(np.log(fit.over_expected)).mean())
        over = nearest.over_expected
        away = (nearest.value - np.array(request.expected)) / nearest.error
        deviations = ", ".join(
            f"{name} by {sigmas:+.1f} errors"
            for name, sigmas in zip(nearest.law.names, away, strict=True)
        )
        return [
            "",
            f"Nearest to the expected law: {nearest.label or 'the defaults'}; the rows are "
            f"{over.min():.3f} to {over.max():.3f} of it, and the fit differs in {deviations}.",
        ]
    if request.law == "second_order":
        worst = max(fits, key=lambda fit: abs(fit.value[1]) + fit.error[1])
        return [
            "",
            f"Largest bias at a step of {DEFAULT_STEP:g}, its error added: "
            f"{100 * worst.value[1]:+.4f} % (error {100 * worst.error[1]:.4f} %), "
            f"for {worst.label or 'the defaults'}.",
        ]
    if request.law == "order":
        order, error = np.array([[fit.value[2], fit.error[2]] for fit in fits]).T
        mean = fit_mean(order, error)
        return [
            "",
            f"Weighted mean of the order p: {significant(mean.value[0], mean.error[0])}.",
        ]
    return []


def header(cells: Sequence[str]) -> list[str]:
    """Return the first two lines of a table in Markdown."""
    return [row(cells), "|" + "---|" * len(cells)]


def row(cells: Iterable[object]) -> str:
    """Return a line of a table in Markdown."""
    return "| " + " | ".join(map(str, cells)) + " |"
