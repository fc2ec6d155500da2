"""The validation page: each printed value of the paper beside the measured one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

import epmpi
from epmpi.analysis.notation import significant
from epmpi.campaign.tables import header, row
from epmpi.paper.cases import FULL, STEP, Case
from epmpi.paper.measured import Measured
from epmpi.paper.printed import CAPTIONS, PRINTED
from epmpi.paper.rows import rows_of


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
        *_values(measured),
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
        runs, values = _runs(measured, FULL), _values(measured)
        yield from ("## At the paper's sizes", "", *runs, "", *values, "")


def _colder(measured: Sequence[Measured]) -> list[Case]:
    """Return the thermal cases of the paper at temperatures that are missing in these runs."""
    there = {run.case.temperature for run in measured}
    return [case for case in FULL if not case.random and case.temperature not in there]


def _runs(measured: Sequence[Measured], planned: Sequence[Case]) -> Iterator[str]:
    """Yield the table of the runs, and of those that are planned but missing."""
    yield from header(["run", "L", "seed", "warm-up", "duration", "activity", "stress variance"])
    for run in measured:
        case, analysis = run.case, run.analysis
        duration = f"{run.duration:g}"
        if run.duration < 0.99 * case.duration:
            duration += f" of {case.duration:g}"
        variance = analysis.averages.get("stress_variance")
        spread = significant(variance.value, variance.error) if variance else ""
        cells = [case.name, case.size, analysis.provenance.get("seed", ""), f"{case.warmup:g}"]
        activity = significant(run.activity.value, run.activity.error)
        yield row([*cells, duration, activity, "grows" if case.random else spread])
    there = {run.case for run in measured}
    for case in planned:
        if case not in there:
            yield f"| {case.name} | not run | | | | | |"


def _values(measured: Sequence[Measured]) -> Iterator[str]:
    """Yield the table of the values."""
    yield from header(
        ["figure", "quantity", "paper", "measured", "deviation", "parameters", "remark"]
    )
    for one in rows_of(measured):
        figure, quantity, *_ = PRINTED[one.key]
        printed = f"{one.expected:.4g}" if np.isfinite(one.expected) else "-"
        deviation = f"{one.deviation:+.1f}" if np.isfinite(one.deviation) else "-"
        window = f" +- {one.window:.2g} (window)" if one.window > 0 else ""
        found = significant(one.value, one.error) + window
        yield row([figure, quantity, printed, found, deviation, one.parameters, one.remark])


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
