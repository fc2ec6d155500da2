"""The results of a run as tables on the screen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rich.console import Console
from rich.table import Table

from epmpi.analysis.activity import AT_OUTPUTS
from epmpi.analysis.blocks import FEWEST_BLOCKS
from epmpi.analysis.notation import significant
from epmpi.analysis.results import NAMES, Analysis
from epmpi.analysis.tracer_results import TracerResults

ROWS = 9  # lags shown of D(t)
UNRESOLVED = {
    "blocks": "* the run is too short for this error bar",
    "replicas": f"* fewer than {FEWEST_BLOCKS} replicas: the error bar is uncertain itself",
}
LAWS = {  # by the curves that they were fitted to
    "stress_correlation": "C_sigma(t)",
    "distance_distribution": "P(x)",
    "waiting_times": "psi(tau_ev)",
}
NUMBERS = (  # that belong to curves: what, curve, name
    ("tau_alpha: persistence 1/2", "event_persistence", "relaxation_time"),
    ("chi_4 of the persistence: peak", "event_chi_4", "peak"),
    ("chi_4 of the persistence: time of the peak", "event_chi_4", "peak_time"),
    ("S_4 at tau_alpha: limit of small q", "event_s_4", "limit"),
    ("S_4 at tau_alpha: length", "event_s_4", "length"),
    ("share of the time in bursts", "burst_time", "share"),
)
EXACT = "activity a: over all of the time between outputs, no error of sampling"
DRIFTS = "! not stationary: see the remark"


def print_analysis(console: Console, analysis: Analysis) -> None:
    """Print averages, D(t), fits of S(q,t), what is missing, and where the files are."""
    for table in tables(analysis):
        console.print(table)
    for what, lines in (("remark", analysis.remarks), ("missing", analysis.missing)):
        for line in lines:  # whole: a terminal folds it, a log or a search wants one line
            console.print(f"{what}: {line}", style="yellow", markup=False, soft_wrap=True)
    for path in [analysis.numbers, *analysis.figures, *([analysis.page] if analysis.page else [])]:
        console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)


def tables(analysis: Analysis) -> Iterator[Table]:
    """Yield the tables: averages, D(t), fits of S(q,t), laws and consistency."""
    unit = "replicas" if analysis.replicas > 1 else "blocks"  # that errors come from
    yield _averages(analysis, unit)
    if analysis.tracers is not None:
        yield from _tracer_tables(analysis.tracers, unit)
    if laws := list(_law_rows(analysis)):
        table = _table("laws and consistency", "what", "range", "value(error)", "remark")
        for row in laws:
            table.add_row(*row)
        yield table


def _averages(analysis: Analysis, unit: str) -> Table:
    cut = f"\n{analysis.shortfall.brief}" if analysis.shortfall else ""
    table = _table(f"{analysis.name}: averages{cut}", "quantity", "value(error)", unit)
    for name, estimate in analysis.averages.items():
        mark = " !" if analysis.drifts[name].is_marked else ""
        text = significant(estimate.value, estimate.error) + mark
        table.add_row(NAMES[name], text, _blocks(estimate.blocks, estimate.resolved))
    notes = [UNRESOLVED[unit]] * any(not found.resolved for found in analysis.averages.values())
    notes += [DRIFTS] * any(found.is_marked for found in analysis.drifts.values())
    notes += [EXACT] * (AT_OUTPUTS in analysis.averages)
    table.caption = "\n".join(notes) or None
    return table


def _tracer_tables(tracers: TracerResults, unit: str) -> Iterator[Table]:
    diffusion = tracers.diffusion
    table = _table("D(t) = <dr^2>/(4t)", "t / tau", "D(error)", "beta", "regime", unit)
    shown = np.unique(np.linspace(0, diffusion.lag.size - 1, ROWS).round().astype(int))
    for row in shown:
        regime = [window.name for window in tracers.windows if window.contains(diffusion.lag[row])]
        table.add_row(
            f"{diffusion.lag[row]:.4g}",
            significant(diffusion.coefficient[row], diffusion.coefficient_error[row]),
            f"{tracers.exponent.value[row]:.2f}",
            "".join(regime) or "-",
            _blocks(int(diffusion.blocks[row]), bool(diffusion.resolved[row])),
        )
    if not diffusion.resolved[shown].all():
        table.caption = UNRESOLVED[unit]
    yield table
    if tracers.fits:
        q = [fit.q_range for fit in tracers.fits]
        table = _table(
            "S(q,t)/S(q,0) = exp[-alpha (q^n t)^gamma], "
            f"q = {min(q)[0]:.2f} ... {max(q, key=max)[1]:.2f}",
            *("regime", "t / tau", "n", "gamma", "alpha", "misfit"),
        )
        for fit in tracers.fits:
            table.add_row(
                fit.window.name,
                f"{fit.window.start:.3g} - {fit.window.stop:.3g}",
                significant(fit.n, fit.n_error),
                significant(fit.gamma, fit.gamma_error),
                significant(fit.alpha, fit.alpha_error),
                f"{fit.deviation:.1%}",
            )
        yield table


def _law_rows(analysis: Analysis) -> Iterator[tuple[str, str, str, str]]:
    """Yield (what, range, value, remark) of the collapses, the comparisons and the fitted laws."""
    if analysis.tracers is not None:
        for found in analysis.tracers.collapses:
            yield (
                f"n of the best collapse, {found.window.name}",
                f"{found.window.start:.3g} - {found.window.stop:.3g}",
                significant(found.n, found.error),
                f"misfit {found.misfit:.1%}",
            )
        for row in analysis.tracers.comparisons:
            yield (
                f"{row.left} against {row.right}",
                "",
                significant(row.left_value, row.left_error),
                significant(row.right_value, row.right_error),
            )
    for what, curve, name in NUMBERS:
        numbers = analysis.curves[curve].parameters if curve in analysis.curves else {}
        if np.isfinite(value := numbers.get(name, np.nan)):
            yield what, "", significant(value, numbers[f"{name}_error"]), ""
    for curve, law in analysis.laws.items():
        what = LAWS.get(curve) or f"P(S), {curve.removesuffix('_sizes')}"
        for name in law.names:
            text = significant(*law.parameter(name))
            yield f"{what}: {name}", f"{law.span[0]:.3g} - {law.span[1]:.3g}", text, ""


def _blocks(blocks: int, resolved: bool) -> str:
    return f"{blocks}{'' if resolved else ' *'}"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=True, justify="left" if number == 0 else "right")
    return table
