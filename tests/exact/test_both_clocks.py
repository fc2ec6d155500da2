"""Steady states of the exact clock against those of the steps clock, extrapolated to no step.

The error of a step is of second order in what is averaged over time, and of first order in what is
counted: an event that begins and ends within a step is not seen.  So both are extrapolated from two
steps, h and 2 h, each by its order; but displacements are compared at the step h as they are, with
errors far above the bias (0.3 % of D, see docs/campaigns/time_step.md).  Errors come from blocks of
time, long against all correlations, and must be small enough to tell.
"""

import math
from typing import NamedTuple

import numpy as np
import pytest
from exact_runs import configuration
from scipy import stats

from epmpi.model.model import Model
from epmpi.model.state import Accumulator
from epmpi.model.waiting import ExactWaitingTimes

pytestmark = [pytest.mark.statistics, pytest.mark.slow]

SHAPE = (32, 32)
BLOCKS = 24
LAGS = 1, 3, 10, 30  # samples
# Errors of a difference that are allowed: beyond them by chance once in 1e4 cases.
ACTIVITY = {0.2: 0.13, 0.1: 0.015, 0.07: 0.002}  # nearly
ALLOWED = stats.t.isf(0.5e-4, 2 * BLOCKS - 2)


class Case(NamedTuple):
    """Times in tau."""

    temperature: float
    step: float  # h, of the steps clock
    sample: float  # time between two samples
    block: int  # samples in a block
    precision: float  # of the activity: largest relative error of the difference


CASES = {
    "T = 0.2": Case(0.2, 0.05, 1.0, 200, 0.008),
    "T = 0.1": Case(0.1, 0.05, 5.0, 200, 0.012),
    "T = 0.07": Case(0.07, 0.1, 10.0, 300, 0.04),
}


# One temperature in the continuous integration; the three take some minutes.
every_case = pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case, id=name, marks=[pytest.mark.ci if case.temperature == 0.1 else pytest.mark.long]
        )
        for name, case in CASES.items()
    ],
)


class Waits(Accumulator):
    """Keeps the waits in steps; an accumulator."""

    def __init__(self, step):
        self._step, self.waits = step, []
        self._last = np.full(SHAPE[0] * SHAPE[1], np.nan)

    def take(self, begun, events, first_site, step):
        sites = begun[: events[0]]
        now = int(step[0]) * self._step
        self.waits += list(now - self._last[sites])
        self._last[sites] = now


class ExactWaits(ExactWaitingTimes):
    """Keeps the waits of the exact clock."""

    def __init__(self):
        super().__init__(1.0, 0, is_root=True)
        self.waits = []

    def add(self, begun, waited):
        self.waits += list(waited)


def observed(case, step=None, tracers=0):
    """Return what was measured in each block of a run, by name: arrays (blocks, ...).

    Of the exact clock, unless there is a step.
    """
    model = Model(
        configuration(
            step or case.sample,
            lattice={"shape": SHAPE},
            model={"temperature": case.temperature},
            tracers={"number": tracers},
            time={"clock": "steps" if step else "exact"},
            output={"trajectory_every": 0.0},
        )
    )
    waits = Waits(step) if step else ExactWaits()
    model.accumulate("waits", waits)
    advance(model, case, case.block)
    found = []
    for _ in range(BLOCKS):
        model.observables()
        waits.waits.clear()
        one = block(model, case, tracers)
        found.append(one | {"waits": density(waits.waits, case)})
    return {name: np.array([one[name] for one in found]) for name in found[0]}


def density(waits, case):
    """Return the fractions of waits in bins; their edges are whole steps of both lengths.

    A wait of such a length is half in either bin.
    """
    waits = np.array(waits)
    waits = waits[np.isfinite(waits)]
    longest = 3 / ACTIVITY[case.temperature]
    edges = np.unique(np.round(np.geomspace(1, longest, 10) / (2 * case.step))) * 2 * case.step
    counts = [np.histogram(waits + d, edges)[0] for d in (-case.step / 9, case.step / 9)]
    return np.mean(counts, axis=0) / len(waits)


def advance(model, case, samples):
    until = round(samples * case.sample / model.configuration.time.step) + model.step_count
    while model.step_count < until:
        model.step()


def block(model, case, tracers):
    """Measure one block of time."""
    before = model.observables()
    series, stress, positions = [], [], []
    for _ in range(case.block):
        advance(model, case, 1)
        series.append(model.observables())
        stress.append(model.stress.copy())
        if tracers:
            model.clock.place_tracers()
            positions.append(model.tracers.position[np.argsort(model.tracers.identity)])
    stress = np.array(stress)
    found = {
        "activity": np.mean([now["activity"] for now in series]),
        "variance": np.mean([now["stress_variance"] for now in series]),
        "events": float(series[-1]["events"] - before["events"]),
        "correlation": [np.mean(stress[lag:] * stress[:-lag]) for lag in LAGS],
    }
    if "active_time" in before:  # the exact average, in place of that of the samples
        active = series[-1]["active_time"] - before["active_time"]
        found["activity"] = active / (case.block * case.sample * stress[0].size)
    if tracers:
        r = np.array(positions)
        moved = [np.mean(np.sum((r[lag:] - r[:-lag]) ** 2, axis=2)) for lag in LAGS]
        found["diffusion"] = np.array(moved) / (4 * case.sample * np.array(LAGS))
    return found


def extrapolated(fine, coarse, order):
    """Return means and errors at no step, from those at h and 2 h."""
    means, errors = zip(*map(averaged, (fine, coarse)), strict=True)
    weight = 2**order / (2**order - 1)
    mean = weight * means[0] - (weight - 1) * means[1]
    return mean, np.hypot(weight * errors[0], (weight - 1) * errors[1])


def averaged(blocks):
    return blocks.mean(axis=0), blocks.std(axis=0, ddof=1) / math.sqrt(BLOCKS)


def assert_same(found, expected, precision):
    """Compare two means, of numbers or of curves, within their errors."""
    error = np.hypot(found[1], expected[1])
    assert np.all(error < precision * np.abs(expected[0])), "too few samples to tell"
    assert np.all(np.abs(found[0] - expected[0]) < ALLOWED * error)


@every_case
def test_activity_stress_and_waits(case):
    exact, fine, coarse = (observed(case, step) for step in (None, case.step, 2 * case.step))
    for name, order, precision in (
        ("activity", 2, case.precision),
        ("events", 1, case.precision),
        ("variance", 2, case.precision),
        ("correlation", 2, 0.3),
        ("waits", 1, 0.15),
    ):
        steps = extrapolated(fine[name], coarse[name], order)
        assert_same(averaged(exact[name]), steps, precision)


@every_case
def test_diffusion(case):
    case = case._replace(sample=case.sample / 4)
    exact, steps = (observed(case, step, tracers=128)["diffusion"] for step in (None, case.step))
    assert_same(averaged(exact), averaged(steps), precision=0.06)
