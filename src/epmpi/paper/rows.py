"""Rows of the validation page: what the runs give, in the order of the paper's figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from epmpi.analysis.blocks import jackknifed
from epmpi.analysis.collapse import best_collapse
from epmpi.analysis.consistency import long_time_coefficient
from epmpi.analysis.regimes import Window
from epmpi.analysis.relaxation import crossing, fit_window
from epmpi.analysis.stress import fit_stretched_exponential
from epmpi.analysis.structure_factor import StructureFactor
from epmpi.analysis.tracer_results import TracerResults
from epmpi.analysis.waiting_times import SHORTEST, WaitingTimes
from epmpi.paper.cases import STEP
from epmpi.paper.measured import Measured, by_model, cold_runs, fit_activity
from epmpi.paper.printed import PRINTED
from epmpi.paper.windows import half_range, parts, power_of

AGREES = 3.0  # errors within which two values count as equal
STRUCTURE = ((0.2, "I", "alpha_b"), (0.07, "II", "alpha_s"), (0.2, "III", "alpha_D"))  # figure 2
FEWEST_ACTIVE = 10  # sites at a time
INTERMITTENT = 0.1  # highest temperature of the comparison with low-T laws of waits and stress
SMALL_U = (0.01, 0.15)  # u/sqrt(a)
LARGE_U = (2.0, 8.0)  # u/sqrt(a)
LARGEST_U = 0.1  # lattice spacings: larger displacements depend on the lattice
LATER_STARTS = (1.0, 2.0, 4.0)  # of the power law of psi, times the first


@dataclass(frozen=True)
class Row:
    """One value of the reproduction table.

    Attributes
    ----------
    key : str
        Of `PRINTED`.
    parameters : str
        Of the run and of the fit.
    value, error : float
        Measured.
    window : float
        Error of the choice of the window, see `epmpi.paper.windows`.
    reference : float
        Value to compare with where it depends on the run; nan: the printed one.
    """

    key: str
    parameters: str
    value: float
    error: float
    window: float = 0.0
    reference: float = float("nan")

    @property
    def expected(self) -> float:
        """The value to compare with; nan where there is none."""
        return PRINTED[self.key].value if np.isnan(self.reference) else self.reference

    @property
    def deviation(self) -> float:
        """Difference in errors of the measurement, those of the window included."""
        whole = float(np.hypot(self.error, self.window))
        return (self.value - self.expected) / whole if whole > 0 else float("nan")

    @property
    def remark(self) -> str:
        """'agrees' within three errors of what is expected, else a remark on the difference."""
        return "agrees" if abs(self.deviation) <= AGREES else PRINTED[self.key].remark


def rows_of(measured: Sequence[Measured]) -> Iterator[Row]:
    """Yield all rows that can be measured in these runs."""
    thermal, random = by_model(measured)
    yield from _activity_rows(measured)
    for run in measured:
        if run.case.temperature and run.analysis.tracers is not None:
            yield from _diffusion_rows(run, run.analysis.tracers)
    for temperature, regime, symbol in STRUCTURE:
        for run in thermal:
            tracers = run.analysis.tracers
            if run.case.temperature == temperature and tracers and regime in run.windows:
                yield from _structure_rows(run, tracers, regime, symbol)
    yield from _displacement_rows(thermal)
    for run in (*thermal, *random):
        if run.analysis.waits is not None:
            yield from _waiting_rows(run, run.analysis.waits)
    for run in thermal:
        if run.analysis.waits is not None and run.case.temperature <= INTERMITTENT:
            yield from _walk_rows(run)
    for run in thermal:
        yield from _correlation_rows(run)


def _activity_rows(measured: Sequence[Measured]) -> Iterator[Row]:
    """Yield the rows of the Arrhenius law, without and with curvature."""
    temperatures = sorted(run.case.temperature for run in cold_runs(measured))
    for key, place, curved in (
        ("energy", 1, False),
        ("prefactor", 0, False),
        ("curvature", 2, True),
    ):
        fit = fit_activity(measured, curved=curved)
        if fit is not None:
            text = (
                f"fit to T = {', '.join(f'{t:g}' for t in temperatures)}; chi^2 = "
                f"{fit.chi_square:.1f} / {fit.freedom}"
            )
            yield Row(key, text, float(fit.value[place]), float(fit.error[place]))


def _diffusion_rows(run: Measured, tracers: TracerResults) -> Iterator[Row]:
    """Yield the rows of figure 2a: D(t) in each regime, thermal and random."""
    kind = "random" if run.case.random else "thermal"
    value, error, lag = _lowest_exponent(tracers)
    yield Row(f"lowest_{kind}", f"{run.name}; at t = {lag:.3g}", value, error)
    second, third = run.windows.get("II"), run.windows.get("III")
    if second is not None:
        yield _end_of_second(run, second, third)
    if third is not None:
        value, error = long_time_coefficient(tracers.diffusion, third)
        yield Row(f"D_III_{kind}", f"{run.name}; {_times(third)}", value, error)


def _end_of_second(run: Measured, second: Window, third: Window | None) -> Row:
    """Return the row of the end of regime II: between it and III, or after its last lag."""
    activity = run.activity.value
    text = f"{run.name}; II from t = {second.start:.3g} to {second.stop:.3g}"
    if third is None or third.start < second.start:
        return Row("end_II_open", text, activity * second.stop, 0.0)
    # III by its own criterion may begin while II has not ended.
    first, last = sorted((second.stop, third.start))
    text += f", III from {third.start:.3g}"
    middle, spread = activity * (first * last) ** 0.5, activity * (last - first) / 2
    return Row("end_II", text, middle, 0.0, spread)


def _times(window: Window) -> str:
    return f"t = {window.start:.3g} ... {window.stop:.3g}"


def _lowest_exponent(tracers: TracerResults) -> tuple[float, float, float]:
    """Return the lowest local exponent of the MSD after t = 1, its error, and its lag.

    Of the lags with an error below 0.1.
    """
    exponent = tracers.exponent
    known = np.flatnonzero((exponent.x > 1) & (exponent.error < 0.1))
    lowest = known[np.argmin(exponent.value[known])]
    return float(exponent.value[lowest]), float(exponent.error[lowest]), float(exponent.x[lowest])


def _structure_rows(
    run: Measured, tracers: TracerResults, regime: str, symbol: str
) -> Iterator[Row]:
    """Yield the rows of figure 2b, 2c or 2d."""
    factor, window, n = tracers.structure_factor, run.windows[regime], PRINTED[f"n_{regime}"].value
    for collapse in tracers.collapses:
        if collapse.window.name == regime:
            found = [best_collapse(factor, part) for part in parts(window)]
            spread = half_range(one.n for one in found if one is not None)
            text = f"{run.name}; {_times(window)}; collapse, misfit {collapse.misfit:.1%}"
            yield Row(f"n_{regime}", text, collapse.n, collapse.error, spread)
    yield from _fit_rows(run, factor, window, n, gamma=f"gamma_{regime}", alpha=symbol)
    if regime == "I":
        yield from _fit_rows(run, factor, window, 1.0, gamma="gamma_1")
    for row in tracers.comparisons:
        if row.name == symbol:
            error = float(np.hypot(row.left_error, row.right_error))
            text = f"{run.name}; exponents of theory; first column: {row.right}"
            yield Row(f"{symbol}_c", text, row.left_value, error, reference=row.right_value)


def _fit_rows(
    run: Measured, factor: StructureFactor, window: Window, n: float, **keys: str
) -> Iterator[Row]:
    """Yield the rows of a fit at fixed n; `keys` are those of its attributes."""
    fits = [fit_window(factor, part, n=n) for part in parts(window)]
    fit = fits[0]
    if fit is None:
        return
    low, high = fit.q_range
    text = f"{run.name}; {_times(fit.window)}, q = {low:.2f} ... {high:.2f}; n = {n:g} held"
    for name, key in keys.items():
        spread = half_range(getattr(one, name) for one in fits if one is not None)
        yield Row(key, text, getattr(fit, name), getattr(fit, f"{name}_error"), spread)


def _displacement_rows(thermal: Sequence[Measured]) -> Iterator[Row]:
    """Yield the rows of figure 3a: the paper finds both laws at low temperatures.

    Small u: the coldest run with many sites active at a time; with less than one, tracers are
    often at rest, which hides the power law.  Large u: the coldest run, where the range of the law
    below `LARGEST_U` is widest.
    """
    cold = [run for run in thermal if run.case.temperature <= INTERMITTENT]
    crowded = [run for run in cold if run.activity.value * run.case.size**2 >= FEWEST_ACTIVE]
    roomy = [run for run in cold if LARGEST_U / run.activity.value**0.5 >= 2 * LARGE_U[0]]
    for runs, key, (start, stop) in (
        (crowded, "small_u", SMALL_U),
        (roomy, "large_u", LARGE_U),
    ):
        for run in runs[:1]:
            displacements = run.analysis.curves.get("unit_displacement")
            if displacements is None:
                continue
            root = run.activity.value**0.5
            span = Window("u/sqrt(a)", start, min(stop, LARGEST_U / root))
            scaled = displacements.scaled(1 / root, root)
            found = [power_of(scaled, part.start, part.stop) for part in parts(span)]
            text = f"{run.name}; {span.name} = {span.start:g} ... {span.stop:.3g}"
            yield Row(key, text, *found[0], half_range(value for value, _ in found))


def _waiting_rows(run: Measured, waits: WaitingTimes) -> Iterator[Row]:
    """Yield the rows of figure 3b."""
    random = run.case.random
    law = run.analysis.laws.get("waiting_times")
    if law is not None and (random or run.case.temperature <= INTERMITTENT):
        value, error = law.parameter("exponent")
        text = f"{run.name}; power law with cutoff, {_times(Window('', *law.span))}"
        later = [waits.fit(SHORTEST * factor) for factor in LATER_STARTS]
        spread = half_range(fit.parameter("exponent")[0] for fit in later if fit is not None)
        yield Row("psi_random" if random else "psi_thermal", text, -value, error, spread)
    mean, error = waits.mean()
    activity = run.activity
    value = activity.value * mean
    error = value * float(np.hypot(error / mean, activity.error / activity.value))
    exact = 1.0 if run.case.exact else exact_mean_wait(activity.value, STEP)
    text = f"{run.name}; first column: exact for this clock"
    yield Row("mean_wait", text, value, error, reference=exact)


def exact_mean_wait(activity: float, step: float) -> float:
    """Return a <tau_ev> of a steady state, in units of tau_res = 1.

    The run sees activations only at the end of a step of length dt.  An active site with rates p_on
    and p_off = 1 is inactive at the end of a step with probability (1 - exp(-x)) dt/x, x = (p_on +
    p_off) dt, so that a <tau_ev> = x/(1 - exp(-x)): 1 for dt -> 0.  With the mean rate of a steady
    state p_on + p_off = 1/(1 - a); exact for the random model.
    """
    x = step / (1 - activity)
    return float(x / -np.expm1(-x))


def _walk_rows(run: Measured) -> Iterator[Row]:
    """Yield the rows of the inset of figure 3c; the window is half a decade to both sides."""
    slope = run.analysis.curves["renewal_slope"]
    flattest = int(np.argmax(slope.value))
    value, error = float(slope.value[flattest]), float(slope.error[flattest])
    near = np.abs(np.log10(slope.x / slope.x[flattest])) <= 0.5
    spread = half_range(slope.value[near])
    text = f"{run.name}; flattest local slope, at s = {slope.x[flattest]:.2g}"
    yield Row("slope", text, value, error, spread)
    if run.analysis.tracers is not None:
        lowest, lowest_error, lag = _lowest_exponent(run.analysis.tracers)
        text = f"{run.name}; at t = {lag:.3g}; first column: -1 - slope of N(s)"
        both = float(np.hypot(lowest_error, error))
        yield Row("walk", text, lowest, both, spread, reference=-1 - value)


def _correlation_rows(run: Measured) -> Iterator[Row]:
    """Yield the rows of figures 3c and 3d."""
    curve = run.analysis.curves.get("displacement_correlation")
    if curve is not None:
        lowest = int(np.argmin(curve.value / np.maximum(curve.error, 1e-3)))
        text = f"{run.name}; at t = {curve.x[lowest]:.3g}"
        yield Row("negative", text, curve.value[lowest], curve.error[lowest])
    stress = run.analysis.curves.get("stress_correlation")
    decay = run.analysis.laws.get("stress_correlation")
    if stress is None:
        return
    if decay is not None and run.case.temperature <= INTERMITTENT:
        value, error = decay.parameter("exponent")
        span = Window("", *decay.span)
        fitted = stress.part((stress.x >= span.start) & (stress.x <= span.stop))
        third = fitted.x.size / 3
        two_thirds = slice(round(2 * third)), slice(round(third), None)
        fits = [fit_stretched_exponential(fitted.part(part)) for part in two_thirds]
        spread = half_range([value, *(f.parameter("exponent")[0] for f in fits if f is not None)])
        yield Row("beta", f"{run.name}; {_times(span)}", value, error, spread)
    at, spread_of_at = jackknifed(partial(crossing, stress.x), stress.value, stress.left_out)
    if np.isfinite(at):
        activity = run.activity
        value = float(at) * activity.value
        relative = float(np.hypot(spread_of_at / at, activity.error / activity.value))
        yield Row("tau_sigma", f"{run.name}; interpolated", value, value * relative)
