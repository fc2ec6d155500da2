"""Rows of figure 2: regimes of D(t), and the collapse of S(q,t) in each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from epmpi.analysis.collapse import best_collapse
from epmpi.analysis.consistency import long_time_coefficient
from epmpi.analysis.regimes import Window
from epmpi.analysis.relaxation import fit_window
from epmpi.analysis.tracer_results import TracerResults
from epmpi.paper.dynamics import window_of
from epmpi.paper.measured import Measured
from epmpi.paper.rows import NONE, Row, name_of
from epmpi.paper.windows import half_range, parts, window_error


def diffusion_rows(measured: Sequence[Measured]) -> Iterator[Row]:
    """Yield the rows of figure 2a: D(t) in each regime, thermal and random."""
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
            yield _end_of_second(run, second, third)
        if third is not None:
            value, error = long_time_coefficient(tracers.diffusion, third)
            yield Row(
                "2a", f"D of regime III, {kind}", NONE, value, error,
                f"{name_of(run)}; t = {third.start:.3g} ... {third.stop:.3g}", "D_III",
            )  # fmt: skip


def _end_of_second(run: Measured, second: Window, third: Window | None) -> Row:
    """Return the row of the end of regime II: between it and III, or after its last lag."""
    activity = run.activity.value
    if third is None or third.start < second.start:
        return Row(
            "2a", "end of regime II, a t, more than", NONE, activity * second.stop, 0.0,
            f"{name_of(run)}; II from t = {second.start:.3g} to {second.stop:.3g}", "end_II_open",
        )  # fmt: skip
    # III by its own criterion may begin while II has not ended.
    first, last = sorted((second.stop, third.start))
    return Row(
        "2a", "end of regime II, a t", NONE, activity * (first * last) ** 0.5, 0.0,
        f"{name_of(run)}; II from t = {second.start:.3g} to {second.stop:.3g}, III from "
        f"{third.start:.3g}", "end_II", activity * (last - first) / 2,
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
        tracers = run.analysis.tracers if run is not None else None
        window = window_of(run.analysis, name) if run is not None else None
        if run is None or tracers is None or window is None:
            continue
        yield from _collapse_row(run, tracers, figure, window, n)
        of_gamma = ("gamma", f"gamma, regime {name}", gamma, f"gamma_{name}")
        yield from _fit_rows(
            run, tracers, figure, window, n, of_gamma, ("alpha", symbol, alpha, symbol)
        )
        if name == "I":
            of_gamma = ("gamma", "gamma, regime I, n = 1", 2.0, "gamma_1")
            yield from _fit_rows(run, tracers, figure, window, 1.0, of_gamma)
        for row in tracers.comparisons:
            if row.name == symbol:
                yield Row(
                    figure, f"{symbol} against {row.right}", row.right_value, row.left_value,
                    float(np.hypot(row.left_error, row.right_error)),
                    f"{name_of(run)}; exponents of theory; first column: {row.right}",
                    f"{symbol}_c",
                )  # fmt: skip


def _collapse_row(
    run: Measured, tracers: TracerResults, figure: str, window: Window, n: float
) -> Iterator[Row]:
    """Yield the row of n, found without a law."""

    def exponent(part: Window) -> float | None:
        found = best_collapse(tracers.structure_factor, part)
        return None if found is None else found.n

    for found in tracers.collapses:
        if found.window.name == window.name:
            yield Row(
                figure, f"n, regime {window.name}", n, found.n, found.error,
                f"{name_of(run)}; t = {window.start:.3g} ... {window.stop:.3g}; collapse, misfit "
                f"{found.misfit:.1%}", f"n_{window.name}", window_error(exponent, window),
            )  # fmt: skip


def _fit_rows(
    run: Measured,
    tracers: TracerResults,
    figure: str,
    window: Window,
    n: float,
    *laws: tuple[str, str, float, str],
) -> Iterator[Row]:
    """Yield the rows of a fit at fixed n: (its attribute, quantity, printed value, key) each."""
    fits = [fit_window(tracers.structure_factor, part, n=n) for part in parts(window)]
    fit = fits[0]
    if fit is None:
        return
    text = (
        f"{name_of(run)}; t = {fit.window.start:.3g} ... {fit.window.stop:.3g}, "
        f"q = {fit.q_range[0]:.2f} ... {fit.q_range[1]:.2f}; n = {n:g} held"
    )
    for name, quantity, printed, key in laws:
        yield Row(
            figure, quantity, printed, getattr(fit, name), getattr(fit, f"{name}_error"), text, key,
            half_range(getattr(one, name) for one in fits if one is not None),
        )  # fmt: skip
