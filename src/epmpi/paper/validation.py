"""The validation page: each value that the paper prints beside the one that was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import epmpi
from epmpi.analysis.notation import significant
from epmpi.paper.cases import STEP
from epmpi.paper.dynamics import fit_at, window_of
from epmpi.paper.measured import Measured, fit_arrhenius
from epmpi.paper.model_figures import LOW_TEMPERATURE
from epmpi.paper.remarks import remark
from epmpi.paper.slopes import power_of


@dataclass(frozen=True)
class Row:
    """One value of the reproduction table.

    Attributes
    ----------
    figure, quantity : str
    printed : float
        nan where the paper prints none.
    value, error : float
    parameters : str
        Of the run and of the fit.
    key : str
        Names the sentence on where and why the values differ.
    """

    figure: str
    quantity: str
    printed: float
    value: float
    error: float
    parameters: str
    key: str

    @property
    def deviation(self) -> float:
        """Difference in errors of the measurement."""
        return (self.value - self.printed) / self.error if self.error > 0 else float("nan")


def rows_of(measured: Sequence[Measured]) -> Iterator[Row]:
    """Yield the rows that these runs allow."""
    thermal = {run.case.temperature: run for run in measured if not run.case.random}
    fit = fit_arrhenius(list(thermal.values()), LOW_TEMPERATURE)
    if fit is not None:
        what = f"fit to T = {', '.join(f'{t:g}' for t in sorted(fit.temperatures))}"
        yield Row("text", "E of a ~ exp(-E/T)", 0.48, fit.energy, fit.energy_error, what, "energy")
        yield Row(
            "text", "prefactor of a", 3.1, fit.prefactor, fit.prefactor_error, what, "prefactor"
        )
    yield from _structure_rows(thermal)
    yield from _statistics_rows(measured)


def _structure_rows(thermal: dict[float, Measured]) -> Iterator[Row]:
    """Yield the rows of figure 2."""
    table = (
        ("2b", 0.2, "I", 1.125, 1.8, "alpha_b", 0.07),
        ("2c", 0.07, "II", 2.3, 0.86, "alpha_s", 0.0015),
        ("2d", 0.2, "III", 2.0, 1.0, "alpha_D", 0.1),
    )
    for figure, temperature, name, n, gamma, symbol, alpha in table:
        run = thermal.get(temperature)
        if run is None or run.analysis.tracers is None:
            continue
        tracers, window = run.analysis.tracers, window_of(run.analysis, name)
        fit = fit_at(run.analysis, name, n)
        if window is None or fit is None:
            continue
        parameters = (
            f"{_run(run)}; t = {fit.window.start:.3g} ... {fit.window.stop:.3g}, "
            f"q = {fit.q_range[0]:.2f} ... {fit.q_range[1]:.2f}"
        )
        collapse = [one for one in tracers.collapses if one.window.name == name]
        if collapse:
            found = collapse[0]
            text = f"{parameters}; collapse, misfit {found.misfit:.1%}"
            yield Row(figure, f"n, regime {name}", n, found.n, found.error, text, f"n_{name}")
        at = f"{parameters}; n = {n:g} as printed"
        yield Row(
            figure, f"gamma, regime {name}", gamma, fit.gamma, fit.gamma_error, at, f"gamma_{name}"
        )
        yield Row(figure, symbol, alpha, fit.alpha, fit.alpha_error, at, symbol)
        for row in tracers.comparisons:
            if row.name == symbol:
                yield Row(
                    figure, f"{symbol} against {row.right}", row.right_value, row.left_value,
                    float(np.hypot(row.left_error, row.right_error)),
                    f"{_run(run)}; exponents of theory; first column: {row.right}", f"{symbol}_c",
                )  # fmt: skip


def _statistics_rows(measured: Sequence[Measured]) -> Iterator[Row]:
    """Yield the rows of figure 3."""
    thermal = sorted(
        (run for run in measured if not run.case.random), key=lambda run: run.case.temperature
    )
    coldest = thermal[0]
    root = coldest.activity.value**0.5
    displacements = coldest.analysis.curves.get("unit_displacement")
    if displacements is not None:
        for quantity, printed, span, key in (
            ("exponent of P(u), small u", 1.0, (0.01, 0.15), "small_u"),
            ("exponent of P(u), large u", -3.0, (2.0, 8.0), "large_u"),
        ):
            value, error = power_of(displacements.scaled(1 / root, root), *span)
            text = f"{_run(coldest)}; u/sqrt(a) = {span[0]:g} ... {span[1]:g}"
            yield Row("3a", quantity, printed, value, error, text, key)
    for run in thermal:
        events = run.analysis.events
        if events is None or run.case.temperature > 0.1:
            continue
        if events.fit is not None:
            value, error = events.fit.parameter("exponent")
            span = events.fit.span
            text = f"{_run(run)}; power law with cutoff, t = {span[0]:.3g} ... {span[1]:.3g}"
            yield Row("3b", "exponent of psi", -2 / 3, -value, error, text, "psi")
        slope = events.prediction.slope
        steepest = int(np.argmax(slope.value))
        text = f"{_run(run)}; flattest local slope, at s = {slope.x[steepest]:.2g}"
        yield Row(
            "3c",
            "slope of N(s)",
            -5 / 3,
            slope.value[steepest],
            slope.error[steepest],
            text,
            "slope",
        )
        if run.analysis.tracers is not None:
            exponent = run.analysis.tracers.exponent
            later = exponent.lag > 1
            lowest = np.flatnonzero(later)[np.nanargmin(exponent.value[later])]
            yield Row(
                "3c", "lowest exponent of the MSD, against that of N(t)",
                float(-1 - slope.value[steepest]), float(exponent.value[lowest]),
                float(exponent.error[lowest]),
                f"{_run(run)}; at t = {exponent.lag[lowest]:.3g}; first column: -1 - slope of N(s)",
                "walk",
            )  # fmt: skip
    for run in thermal:
        curve = run.analysis.curves.get("displacement_correlation")
        if curve is not None:
            lowest = int(np.argmin(curve.value / np.maximum(curve.error, 1e-3)))
            yield Row(
                "3c", "most significant negative C_u", float("nan"), curve.value[lowest],
                curve.error[lowest], f"{_run(run)}; at t = {curve.x[lowest]:.3g}", "negative",
            )  # fmt: skip
        decay = run.analysis.fields.decay if run.analysis.fields else None
        if decay is not None:
            value, error = decay.parameter("exponent")
            yield Row(
                "3d", "beta of C_sigma", float("nan"), value, error,
                f"{_run(run)}; t = {decay.span[0]:.3g} ... {decay.span[1]:.3g}", "beta",
            )  # fmt: skip
            value, error = (x * run.activity.value for x in decay.parameter("time"))
            yield Row("3d", "a tau of C_sigma", float("nan"), value, error, _run(run), "tau_sigma")


def _run(run: Measured) -> str:
    """Name the parameters of a run."""
    return f"T = {run.case.temperature:g}, L = {run.case.size}"


def write_validation(page: Path, measured: Sequence[Measured], *, full: bool) -> None:
    """Write the page, whole or not at all."""
    lines = [
        "# Validation",
        "",
        "What E. E. Ferrero, K. Martens and J.-L. Barrat, PRL 113, 248301 (2014) print, beside "
        "what this package measures.",
        f"Made by `epmpi paper {'--full' if full else '--quick'}`, epmpi {epmpi.__version__}; the "
        "default reading (Gamma0 = 1, direction = stress, continuum symbol, prefactor 1), step "
        f"{STEP:g}.",
        "No parameter was tuned. (12) is the 68.3 % error of the last digits; deviations are in "
        "these errors, which leave out that of the paper's rounding. S(q,t) is that over S(q,0).",
        "",
        "## Runs",
        "",
        "| run | L | seed | warm-up | duration | activity | stress variance |",
        "|---|---|---|---|---|---|---|",
    ]
    for run in measured:
        variance = run.analysis.averages.get("stress_variance")
        spread = significant(variance.value, variance.error) if variance else ""
        lines.append(
            f"| {run.case.name} | {run.case.size} | {run.analysis.provenance.get('seed', '')} | "
            f"{run.case.warmup:g} | {run.case.duration:g} | "
            f"{significant(run.activity.value, run.activity.error)} | {spread} |"
        )
    if not any(run.case.temperature == 0.04 and not run.case.random for run in measured):
        lines.append("| thermal-T0.04 | not run | | | | | |")
    lines += [
        "",
        "## Values",
        "",
        "| figure | quantity | paper | measured | deviation | parameters | remark |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows_of(measured):
        printed = f"{row.printed:.4g}" if np.isfinite(row.printed) else "-"
        away = row.deviation
        deviation = f"{away:+.1f}" if np.isfinite(away) else "-"
        said = remark(row.key, away)
        lines.append(
            f"| {row.figure} | {row.quantity} | {printed} | {significant(row.value, row.error)} | "
            f"{deviation} | {row.parameters} | {said} |"
        )
    page.parent.mkdir(parents=True, exist_ok=True)
    partial = page.with_name(page.name + ".partial")
    partial.write_text("\n".join(lines) + "\n")
    partial.replace(page)
