"""Rows of figure 3: P(u), psi(tau_ev), C_u(t), the random walk, C_sigma(t)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from epmpi.analysis.blocks import jackknifed
from epmpi.analysis.curve import Curve
from epmpi.analysis.event_results import SHORTEST, EventResults
from epmpi.analysis.relaxation import crossing
from epmpi.analysis.stress import fit_stretched_exponential
from epmpi.paper.cases import STEP
from epmpi.paper.dynamics_rows import lowest_exponent
from epmpi.paper.measured import Measured
from epmpi.paper.rows import NONE, Row, name_of
from epmpi.paper.slopes import power_of
from epmpi.paper.windows import half_range, part_of, parts_of_span

FEWEST_ACTIVE = 10  # sites at a time
INTERMITTENT = 0.1  # highest temperature of the comparison with low-T laws of waits and stress
SMALL_U = (0.01, 0.15)  # u/sqrt(a)
LARGE_U = (2.0, 8.0)  # u/sqrt(a)
LARGEST_U = 0.1  # lattice spacings: larger displacements depend on the lattice
LATER_STARTS = (1.0, 2.0, 4.0)  # of the power law of psi, times the first


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
    """Yield the rows of figure 3a: the paper finds both laws at low temperatures.

    Small u: the coldest run with many sites active at a time; with less than one, tracers are
    often at rest, which hides the power law.  Large u: the coldest run, where the range of the law
    below `LARGEST_U` is widest.
    """
    cold = [run for run in thermal if run.case.temperature <= INTERMITTENT]
    crowded = [run for run in cold if run.activity.value * run.case.size**2 >= FEWEST_ACTIVE]
    roomy = [run for run in cold if LARGEST_U / run.activity.value**0.5 >= 2 * LARGE_U[0]]
    for runs, quantity, printed, span, key in (
        (crowded, "exponent of P(u), small u", 1.0, SMALL_U, "small_u"),
        (roomy, "exponent of P(u), large u", -3.0, LARGE_U, "large_u"),
    ):
        for run in runs[:1]:
            displacements = run.analysis.curves.get("unit_displacement")
            if displacements is None:
                continue
            root = run.activity.value**0.5
            start, stop = span[0], min(span[1], LARGEST_U / root)
            scaled = displacements.scaled(1 / root, root)
            found = [power_of(scaled, *part) for part in parts_of_span(start, stop)]
            text = f"{name_of(run)}; u/sqrt(a) = {start:g} ... {stop:.3g}"
            spread = half_range(value for value, _ in found)
            yield Row("3a", quantity, printed, *found[0], text, key, spread)


def _waiting_rows(run: Measured, events: EventResults) -> Iterator[Row]:
    """Yield the rows of figure 3b."""
    random = run.case.random
    if events.fit is not None and (random or run.case.temperature <= INTERMITTENT):
        value, error = events.fit.parameter("exponent")
        span = events.fit.span
        text = f"{name_of(run)}; power law with cutoff, t = {span[0]:.3g} ... {span[1]:.3g}"
        kind, printed = ("random", 0.0) if random else ("thermal", -2 / 3)
        later = [events.waits.fit(SHORTEST * factor) for factor in LATER_STARTS]
        spread = half_range(fit.parameter("exponent")[0] for fit in later if fit is not None)
        yield Row(
            "3b", f"exponent of psi, {kind}", printed, -value, error, text, f"psi_{kind}", spread
        )
    mean, error = events.waits.mean()
    activity = run.activity
    relative = float(np.hypot(error / mean, activity.error / activity.value))
    value = activity.value * mean
    yield Row(
        "3b", "a times the mean wait",
        1.0 if run.case.exact else exact_mean_wait(activity.value, STEP), value, value * relative,
        f"{name_of(run)}; first column: exact for this clock", "mean_wait",
    )  # fmt: skip


def exact_mean_wait(activity: float, step: float) -> float:
    """Return a <tau_ev> of a steady state, in units of tau_res = 1.

    The run sees activations only at the end of a step of length dt.  An active site with rates p_on
    and p_off = 1 is inactive at the end of a step with probability (1 - exp(-x)) dt/x, x = (p_on +
    p_off) dt, so that a <tau_ev> = x/(1 - exp(-x)): 1 for dt -> 0.  With the mean rate of a steady
    state p_on + p_off = 1/(1 - a); exact for the random model.
    """
    x = step / (1 - activity)
    return float(x / -np.expm1(-x))


def _walk_rows(run: Measured, events: EventResults) -> Iterator[Row]:
    """Yield the rows of the inset of figure 3c; the window is half a decade to both sides."""
    slope = events.prediction.slope
    flattest = int(np.argmax(slope.value))
    value, error = float(slope.value[flattest]), float(slope.error[flattest])
    near = np.abs(np.log10(slope.x / slope.x[flattest])) <= 0.5
    spread = half_range(slope.value[near])
    text = f"{name_of(run)}; flattest local slope, at s = {slope.x[flattest]:.2g}"
    yield Row("3c", "slope of N(s)", -5 / 3, value, error, text, "slope", spread)
    if run.analysis.tracers is not None:
        lowest, lowest_error, lag = lowest_exponent(run.analysis.tracers)
        yield Row(
            "3c", "lowest exponent of the MSD, against that of N(t)", -1 - value, lowest,
            float(np.hypot(lowest_error, error)),
            f"{name_of(run)}; at t = {lag:.3g}; first column: -1 - slope of N(s)", "walk", spread,
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
    stress = run.analysis.curves.get("stress_correlation")
    decay = run.analysis.fields.decay if run.analysis.fields else None
    if stress is None:
        return
    if decay is not None and run.case.temperature <= INTERMITTENT:
        value, error = decay.parameter("exponent")
        span = decay.span
        fitted = _between(stress, *span)
        two_thirds = (part_of(fitted, 0, 2 / 3), part_of(fitted, 1 / 3, 1))
        fits = [fit_stretched_exponential(part) for part in two_thirds]
        spread = half_range([value, *(f.parameter("exponent")[0] for f in fits if f is not None)])
        yield Row(
            "3d", "beta of C_sigma", NONE, value, error,
            f"{name_of(run)}; t = {span[0]:.3g} ... {span[1]:.3g}", "beta", spread,
        )  # fmt: skip
    at, spread_of_at = jackknifed(partial(crossing, stress.x), stress.value, stress.left_out)
    if np.isfinite(at):
        activity = run.activity
        value = float(at) * activity.value
        relative = float(np.hypot(spread_of_at / at, activity.error / activity.value))
        text = f"{name_of(run)}; interpolated"
        yield Row("3d", "a t where C_sigma = 1/e", NONE, value, value * relative, text, "tau_sigma")


def _between(curve: Curve, start: float, stop: float) -> Curve:
    """Return the points of a curve from one abscissa to another, both included."""
    inside = np.flatnonzero((curve.x >= start) & (curve.x <= stop))
    size = curve.x.size
    return part_of(curve, inside[0] / size, (inside[-1] + 1) / size)
