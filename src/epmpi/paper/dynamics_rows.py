"""Rows of figure 2: regimes of D(t), and the collapse of S(q,t) in each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from epmpi.analysis.consistency import long_time_coefficient
from epmpi.analysis.tracer_results import TracerResults
from epmpi.paper.dynamics import fit_at, window_of
from epmpi.paper.measured import Measured
from epmpi.paper.rows import NONE, Row, name_of


def diffusion_rows(measured: Sequence[Measured]) -> Iterator[Row]:
    """Yield the rows of figure 2a: what D(t) does in each regime, thermal and random."""
    for run in measured:
        tracers = run.analysis.tracers
        if tracers is None or (run.case.random and not run.case.temperature):
            continue
        kind = "random" if run.case.random else "thermal"
        value, error, lag = lowest_exponent(tracers)
        yield Row(
            "2a", f"lowest exponent of the MSD, {kind}", 1.0 if run.case.random else NONE,
            value, error, f"{name_of(run)}; at t = {lag:.3g}", f"lowest_{kind}",
        )  # fmt: skip
        second, third = window_of(run.analysis, "II"), window_of(run.analysis, "III")
        if second is not None:
            yield Row(
                "2a", "end of regime II, a t", NONE, run.activity.value * second.stop, 0.0,
                f"{name_of(run)}; II: t = {second.start:.3g} ... {second.stop:.3g}", "end_II",
            )  # fmt: skip
        if third is not None:
            value, error = long_time_coefficient(tracers.diffusion, third)
            yield Row(
                "2a", f"D of regime III, {kind}", NONE, value, error,
                f"{name_of(run)}; t = {third.start:.3g} ... {third.stop:.3g}", "D_III",
            )  # fmt: skip


def lowest_exponent(tracers: TracerResults) -> tuple[float, float, float]:
    """Return the lowest local exponent of the MSD after t = 1, its error, and its lag.

    Of the lags with an error below 0.1.
    """
    exponent = tracers.exponent
    known = np.flatnonzero((exponent.lag > 1) & (exponent.error < 0.1))
    lowest = known[np.argmin(exponent.value[known])]
    return float(exponent.value[lowest]), float(exponent.error[lowest]), float(exponent.lag[lowest])


def structure_rows(thermal: Mapping[float, Measured]) -> Iterator[Row]:
    """Yield the rows of figures 2b to 2d."""
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
            f"{name_of(run)}; t = {fit.window.start:.3g} ... {fit.window.stop:.3g}, "
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
        if name == "I" and (ballistic := fit_at(run.analysis, name, 1.0)) is not None:
            yield Row(
                figure, "gamma, regime I, n = 1", 2.0, ballistic.gamma, ballistic.gamma_error,
                f"{parameters}; n = 1", "gamma_1",
            )  # fmt: skip
        for row in tracers.comparisons:
            if row.name == symbol:
                yield Row(
                    figure, f"{symbol} against {row.right}", row.right_value, row.left_value,
                    float(np.hypot(row.left_error, row.right_error)),
                    f"{name_of(run)}; exponents of theory; first column: {row.right}",
                    f"{symbol}_c",
                )  # fmt: skip
