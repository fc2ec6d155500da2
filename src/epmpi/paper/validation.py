"""The validation page: each printed value of the paper beside the measured one."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

import epmpi
from epmpi.analysis.notation import significant
from epmpi.paper.cases import FULL, STEP, Case
from epmpi.paper.dynamics_rows import diffusion_rows, structure_rows
from epmpi.paper.measured import Measured, fit_activity
from epmpi.paper.model_figures import LOW_TEMPERATURE
from epmpi.paper.remarks import CAPTIONS, remark
from epmpi.paper.rows import Row
from epmpi.paper.statistics_rows import statistics_rows


def rows_of(measured: Sequence[Measured]) -> Iterator[Row]:
    """Yield all rows that can be measured in these runs."""
    thermal = {run.case.temperature: run for run in measured if not run.case.random}
    yield from _activity_rows(list(thermal.values()))
    yield from diffusion_rows(measured)
    yield from structure_rows(thermal)
    yield from statistics_rows(measured)


def _activity_rows(thermal: Sequence[Measured]) -> Iterator[Row]:
    """Yield the rows of the Arrhenius law, without and with curvature."""
    found = fit_activity(thermal, LOW_TEMPERATURE)
    if found is None:
        return
    straight, curved = found.straight, found.curved
    points = f"fit to T = {', '.join(f'{t:g}' for t in sorted(found.temperatures))}; chi^2"
    what = f"{points} = {straight.chi_square:.1f} / {straight.freedom}"
    for place, quantity, printed, key in (
        (1, "E of a ~ exp(-E/T)", 0.48, "energy"),
        (0, "prefactor of a", 3.1, "prefactor"),
    ):
        yield Row(
            "text", quantity, printed, float(straight.value[place]), float(straight.error[place]),
            what, key,
        )  # fmt: skip
    if curved is not None:
        yield Row(
            "text", "c of a ~ exp(-E/T + c/T^2)", 0.0, float(curved.value[2]),
            float(curved.error[2]), f"{points} = {curved.chi_square:.1f} / {curved.freedom}",
            "curvature",
        )  # fmt: skip


def write_validation(
    page: Path,
    measured: Sequence[Measured],
    scale: str,
    figures: Sequence[Path] = (),
    larger: Sequence[Measured] = (),
) -> None:
    """Write the page, whole or not at all, and copy the figures to images/ beside it.

    `larger` are runs at the paper's sizes, which have tables of their own.
    """
    lines = [
        "# Validation",
        "",
        "What E. E. Ferrero, K. Martens and J.-L. Barrat, PRL 113, 248301 (2014) print, beside "
        "what this package measures.",
        f"Made by `epmpi paper --{scale}`, epmpi {epmpi.__version__}; the default reading "
        f"(Gamma0 = 1, direction = stress, continuum symbol, prefactor 1); hot runs with a step of "
        f"{STEP:g}, cold ones by the exact clock.",
        "No parameter was tuned. (12) is the 68.3 % error of the last digits. +- 0.1 (window) is "
        "half the range of what a window and its parts give: a number that depends on the window "
        "is no better known than that. Deviations are in both errors together; that of the paper's "
        "rounding is left out. S(q,t) is that over S(q,0). How the numbers were fitted: "
        "[fits](observables.md#fits); E, A and c to the activities of the table of runs above "
        "them.",
        "",
        "## Runs",
        "",
        "Each run is repeated by its seed, with the configuration in `src/epmpi/paper/cases.py`. "
        "Events of the random model have random directions: nothing holds its stress variance, "
        "which grows with time. A run that has measured less than a tenth of its duration counts "
        "as not run.",
        "",
        *_runs(measured, _colder([*measured, *larger])),
        "",
        "## Values",
        "",
        *_values(rows_of(measured)),
        "",
        *_larger(larger),
        *_figures(page, figures),
        *_campaigns(page),
    ]
    page.parent.mkdir(parents=True, exist_ok=True)
    partial = page.with_name(page.name + ".partial")
    partial.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    partial.replace(page)


def _larger(measured: Sequence[Measured]) -> Iterator[str]:
    """Yield the tables of runs at the paper's sizes."""
    if measured:
        rows = rows_of(measured)
        runs = _runs(measured, FULL)
        yield from ("## At the paper's sizes", "", *runs, "", *_values(rows), "")


def _colder(measured: Sequence[Measured]) -> list[Case]:
    """Return the thermal cases of the paper at temperatures that are missing in these runs."""
    there = {run.case.temperature for run in measured}
    return [case for case in FULL if not case.random and case.temperature not in there]


def _runs(measured: Sequence[Measured], planned: Sequence[Case]) -> Iterator[str]:
    """Yield the table of the runs, and of those that are planned but missing."""
    yield from (
        "| run | L | seed | warm-up | duration | activity | stress variance |",
        "|---|---|---|---|---|---|---|",
    )
    for run in measured:
        variance = run.analysis.averages.get("stress_variance")
        spread = significant(variance.value, variance.error) if variance else ""
        short = run.duration < 0.99 * run.case.duration
        yield (
            f"| {run.case.name} | {run.case.size} | {run.analysis.provenance.get('seed', '')} | "
            f"{run.case.warmup:g} | {run.duration:g}"
            f"{f' of {run.case.duration:g}' if short else ''} | "
            f"{significant(run.activity.value, run.activity.error)} | "
            f"{'grows' if run.case.random else spread} |"
        )
    there = {run.case for run in measured}
    for case in planned:
        if case not in there:
            yield f"| {case.name} | not run | | | | | |"


def _values(rows: Iterable[Row]) -> Iterator[str]:
    yield from (
        "| figure | quantity | paper | measured | deviation | parameters | remark |",
        "|---|---|---|---|---|---|---|",
    )
    for row in rows:
        printed = f"{row.printed:.4g}" if np.isfinite(row.printed) else "-"
        away = row.deviation
        deviation = f"{away:+.1f}" if np.isfinite(away) else "-"
        window = f" +- {row.window:.2g} (window)" if row.window > 0 else ""
        yield (
            f"| {row.figure} | {row.quantity} | {printed} | "
            f"{significant(row.value, row.error)}{window} | "
            f"{deviation} | {row.parameters} | {remark(row.key, away)} |"
        )


def _figures(page: Path, figures: Sequence[Path]) -> Iterator[str]:
    """Copy the figures beside the page; yield their links and captions."""
    if figures:
        yield from ("## Figures", "")
        if any(figure.parent.name == "available" for figure in figures):
            yield from (
                "Each at the paper's size, where that run is finished and reaches the regime.",
                "",
            )
        (page.parent / "images").mkdir(parents=True, exist_ok=True)
    for figure in figures:
        copy = page.parent / "images" / f"paper-{figure.name}"
        shutil.copyfile(figure, copy)
        yield from (f"![{figure.stem}](images/{copy.name})", "", CAPTIONS[figure.stem], "")


def _campaigns(page: Path) -> Iterator[str]:
    """Yield links to the pages that `epmpi scan --page` wrote beside this one."""
    found = sorted((page.parent / "campaigns").glob("*.md"))
    if found:
        yield from ("## Campaigns", "")
    for one in found:
        title = one.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        yield f"- [{title}](campaigns/{one.name})"
