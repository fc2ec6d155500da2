"""Rows of figure 3: P(u), psi(tau_ev), C_u(t), the random walk, C_sigma(t)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from epmpi.analysis.event_results import EventResults
from epmpi.paper.dynamics_rows import lowest_exponent
from epmpi.paper.measured import Measured
from epmpi.paper.rows import NONE, Row, name_of
from epmpi.paper.slopes import power_of

FEWEST_ACTIVE = 10  # sites at a time
INTERMITTENT = 0.1  # temperature up to which psi is compared with a power law


def statistics_rows(measured: Sequence[Measured]) -> Iterator[Row]:
    """Yield the rows of figure 3."""
    thermal = sorted(
        (run for run in measured if not run.case.random), key=lambda run: run.case.temperature
    )
    yield from _displacement_rows(thermal)
    for run in [*thermal, *(run for run in measured if run.case.random)]:
        if run.analysis.events is not None:
            yield from _waiting_rows(run, run.analysis.events)
    for run in thermal:
        if run.analysis.events is not None and run.case.temperature <= INTERMITTENT:
            yield from _walk_rows(run, run.analysis.events)
    for run in thermal:
        yield from _correlation_rows(run)


def _displacement_rows(thermal: Sequence[Measured]) -> Iterator[Row]:
    """Yield the rows of figure 3a, from the coldest run at large u.

    At small u from the coldest where many sites are active at a time: with less than one, tracers
    often stand still, which has nothing to do with the power law.
    """
    crowded = [run for run in thermal if run.activity.value * run.case.size**2 >= FEWEST_ACTIVE]
    for run, quantity, printed, span, key in (
        (crowded[:1], "exponent of P(u), small u", 1.0, (0.01, 0.15), "small_u"),
        (thermal[:1], "exponent of P(u), large u", -3.0, (2.0, 8.0), "large_u"),
    ):
        for one in run:
            displacements = one.analysis.curves.get("unit_displacement")
            if displacements is None:
                continue
            root = one.activity.value**0.5
            value, error = power_of(displacements.scaled(1 / root, root), *span)
            text = f"{name_of(one)}; u/sqrt(a) = {span[0]:g} ... {span[1]:g}"
            yield Row("3a", quantity, printed, value, error, text, key)


def _waiting_rows(run: Measured, events: EventResults) -> Iterator[Row]:
    """Yield the rows of figure 3b; a <tau_ev> = tau_res in any steady state."""
    random = run.case.random
    if events.fit is not None and (random or run.case.temperature <= INTERMITTENT):
        value, error = events.fit.parameter("exponent")
        span = events.fit.span
        text = f"{name_of(run)}; power law with cutoff, t = {span[0]:.3g} ... {span[1]:.3g}"
        kind, printed = ("random", 0.0) if random else ("thermal", -2 / 3)
        yield Row("3b", f"exponent of psi, {kind}", printed, -value, error, text, f"psi_{kind}")
    mean, error = events.waits.mean()
    activity = run.activity
    relative = float(np.hypot(error / mean, activity.error / activity.value))
    value = activity.value * mean
    yield Row(
        "3b", "a times the mean wait", 1.0, value, value * relative,
        f"{name_of(run)}; first column: exact", "mean_wait",
    )  # fmt: skip


def _walk_rows(run: Measured, events: EventResults) -> Iterator[Row]:
    """Yield the rows of the inset of figure 3c."""
    slope = events.prediction.slope
    flattest = int(np.argmax(slope.value))
    value, error = float(slope.value[flattest]), float(slope.error[flattest])
    text = f"{name_of(run)}; flattest local slope, at s = {slope.x[flattest]:.2g}"
    yield Row("3c", "slope of N(s)", -5 / 3, value, error, text, "slope")
    if run.analysis.tracers is not None:
        lowest, lowest_error, lag = lowest_exponent(run.analysis.tracers)
        yield Row(
            "3c", "lowest exponent of the MSD, against that of N(t)", -1 - value, lowest,
            float(np.hypot(lowest_error, error)),
            f"{name_of(run)}; at t = {lag:.3g}; first column: -1 - slope of N(s)", "walk",
        )  # fmt: skip


def _correlation_rows(run: Measured) -> Iterator[Row]:
    """Yield the rows of figures 3c and 3d."""
    curve = run.analysis.curves.get("displacement_correlation")
    if curve is not None:
        lowest = int(np.argmin(curve.value / np.maximum(curve.error, 1e-3)))
        yield Row(
            "3c", "most significant negative C_u", NONE, curve.value[lowest], curve.error[lowest],
            f"{name_of(run)}; at t = {curve.x[lowest]:.3g}", "negative",
        )  # fmt: skip
    decay = run.analysis.fields.decay if run.analysis.fields else None
    if decay is not None:
        value, error = decay.parameter("exponent")
        yield Row(
            "3d", "beta of C_sigma", NONE, value, error,
            f"{name_of(run)}; t = {decay.span[0]:.3g} ... {decay.span[1]:.3g}", "beta",
        )  # fmt: skip
        value, error = (x * run.activity.value for x in decay.parameter("time"))
        yield Row("3d", "a tau of C_sigma", NONE, value, error, name_of(run), "tau_sigma")
