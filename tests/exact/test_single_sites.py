"""Sites without elasticity: their waits and durations against the closed forms of Eq. (2).

With ``event_strain = 0`` the stress of a site is what the drive makes of it, so that the time until
its activation has the survival probability exp(-H(t)), H the integral of its rate.  Each sample is
compared by Kolmogorov and Smirnov at a significance of 1e-3; the seeds are fixed.
"""

import numpy as np
import pytest
from event_log import EventLog, Logged
from exact_runs import configuration
from scipy import stats
from scipy.special import dawsn, gamma, gammainc

from epmpi.model.model import Model

pytestmark = pytest.mark.statistics

READINGS = ["stress", "either", "both"]
CASES = {  # reading and barrier
    "stress": ("stress", "quadratic"),
    "either": ("either", "quadratic"),
    "both": ("both", "quadratic"),
    "alpha 1/2": ("stress", 0.5),
    "alpha 1": ("both", 1.0),
    "alpha 3/2": ("stress", 1.5),
    "alpha 2": ("either", 2.0),
}
every_case = pytest.mark.parametrize(("reading", "barrier"), CASES.values(), ids=CASES)
TEMPERATURE, ATTEMPT_RATE, YIELD_STRESS, RESTRUCTURING_TIME = 0.3, 1.3, 0.9, 1.7
# 0, below the threshold, just below, at and above it; and far above.
STRESSES = np.array([0.0, 0.5, -0.7, 0.88, -0.9, 1.2, -2.0])
ROWS = 9  # of the lattice at each stress: tiles have sites of two stresses
SHAPE = ROWS * len(STRESSES), 64
SIGNIFICANCE = 1e-3


def sites_apart(
    reading: str,
    restructuring_time: float,
    strain_rate: float = 0.0,
    breadth: int = SHAPE[1],
    barrier: float | str = "quadratic",
) -> Model:
    """Return inactive sites without elasticity, nine rows of them at each of the stresses."""
    shape = SHAPE[0], breadth
    model = Model(
        configuration(
            lattice={"shape": shape},
            model={
                "direction": reading,
                "barrier": barrier,
                "temperature": TEMPERATURE,
                "attempt_rate": ATTEMPT_RATE,
                "yield_stress": YIELD_STRESS,
                "restructuring_time": restructuring_time,
                "event_strain": 0.0,
                "strain_rate": strain_rate,
                "shear_modulus": 0.8,
            },
            tracers={"number": 0},
            output={"trajectory_every": 0.0},
            initial={"state": "zero", "stress_deviation": 0.0},
        )
    )
    stress = np.broadcast_to(np.repeat(STRESSES, ROWS)[:, None], shape)
    model.set_fields(stress, np.zeros(shape, np.int8))
    return model


def rate(stress, reading, barrier="quadratic"):
    """Return p_on of Eq. (2), or with the barrier of an alpha."""
    below = np.abs(stress) < YIELD_STRESS
    attempts = np.where(below & (reading == "both"), 2, 1)
    there = np.where(below, stress, YIELD_STRESS)
    return ATTEMPT_RATE * attempts * np.exp(exponent(there, barrier))


def exponent(stress, barrier="quadratic"):
    if barrier == "quadratic":
        return (stress**2 - YIELD_STRESS**2) / (2 * TEMPERATURE)
    return -((YIELD_STRESS - np.abs(stress)) ** barrier) / TEMPERATURE


def integrated_rate(stress, reading, barrier="quadratic"):
    """Return the integral of `rate` over the stress, from 0 on: then a straight line.

    Dawson's for Eq. (2).  That of exp(-x^alpha / T) is an incomplete gamma function.
    """
    below = np.clip(stress, -YIELD_STRESS, YIELD_STRESS)
    attempts = 2 if reading == "both" else 1
    if barrier == "quadratic":
        width = np.sqrt(2 * TEMPERATURE)
        thermal = attempts * width * np.exp(exponent(below)) * dawsn(below / width)
    else:
        scale = gamma(1 + 1 / barrier) * TEMPERATURE ** (1 / barrier)
        x = np.stack([np.full(np.shape(below), YIELD_STRESS), YIELD_STRESS - np.abs(below)])
        far, near = gammainc(1 / barrier, x**barrier / TEMPERATURE)
        thermal = attempts * scale * (far - near) * np.sign(below)
    return ATTEMPT_RATE * (thermal + stress - below)


def at_stress(events: Logged, number: int) -> Logged:
    """Return the events of the sites that began at one of the stresses."""
    return events.where(events.x // ROWS == number)


def assert_law(samples, survival):
    """Compare a sample with a law of waiting times."""
    assert stats.kstest(samples, lambda t: 1 - survival(t)).pvalue > SIGNIFICANCE


def assert_alike(directions):
    """Both directions are equally likely."""
    positive, number = int(np.sum(directions > 0)), len(directions)
    assert stats.binomtest(positive, number).pvalue > SIGNIFICANCE


def test_the_closed_form_is_the_integral_of_the_rate():
    """By Gauss and Legendre between points that are close to each other, at kinks aside."""
    stress = np.linspace(-1.5, 1.5, 30001)
    points, weights = np.polynomial.legendre.leggauss(5)
    middle, half = (stress[1:] + stress[:-1]) / 2, np.diff(stress) / 2
    inside = middle + half * points[:, None]
    smooth = (np.abs(np.abs(middle) - YIELD_STRESS) > 1e-4) & (np.abs(middle) > 1e-4)
    for rule in CASES.values():
        increments = half * (weights @ rate(inside, *rule))
        found = np.diff(integrated_rate(stress, *rule))
        np.testing.assert_allclose(found[smooth], increments[smooth], rtol=1e-6)


@every_case
def test_waits_at_a_constant_stress_are_exponential(reading, barrier):
    model = sites_apart(reading, restructuring_time=1e12, barrier=barrier)
    log = EventLog(model)
    slowest = rate(STRESSES, reading, barrier).min()
    while model.time * slowest < 20:  # until all sites have yielded: all but 2e-9 of the slowest
        model.step()
    first = log.all()
    assert len(first.x) == SHAPE[0] * SHAPE[1]
    for number, stress in enumerate(STRESSES):
        begun = at_stress(first, number)
        on = rate(stress, reading, barrier)
        assert_law(begun.start, lambda t, on=on: np.exp(-on * t))
        if stress == 0 or (reading != "stress" and abs(stress) < YIELD_STRESS):
            assert_alike(begun.direction)
        else:
            assert np.all(begun.direction == np.sign(stress))
    assert np.all(model.stress == np.repeat(STRESSES, ROWS)[:, None])


@pytest.mark.parametrize("strain_rate", [0.1, -0.03])
@every_case
def test_waits_under_a_rising_stress(reading, barrier, strain_rate):
    """The stress of all sites passes 0, the threshold, or both; their waits are one sample too."""
    model = sites_apart(reading, restructuring_time=1e12, strain_rate=strain_rate, barrier=barrier)
    log = EventLog(model)
    drive = 0.8 * strain_rate

    def hazard(time, stress):
        later = integrated_rate(stress + drive * time, reading, barrier)
        return (later - integrated_rate(stress, reading, barrier)) / drive

    while hazard(model.time, STRESSES).min() < 20:
        model.step()
    first = log.all()
    assert len(first.x) == SHAPE[0] * SHAPE[1]
    for number, stress in enumerate(STRESSES):
        begun = at_stress(first, number)
        assert_law(begun.start, lambda t, stress=stress: np.exp(-hazard(t, stress)))
        assert model.clock._engine.progress["violated"] == 0
        there = stress + drive * begun.start
        drawn = (reading != "stress") & (np.abs(there) < YIELD_STRESS)
        assert np.all(begun.direction[~drawn] == np.sign(there[~drawn]))
        if drawn.any():
            assert_alike(begun.direction[drawn])
    hazards = hazard(first.start, STRESSES[first.x // ROWS])
    assert_law(hazards, lambda passed: np.exp(-passed))


def test_waits_where_the_drive_changes():
    """At a tick, from there on: the stress falls as far as it had risen, and farther."""
    model = sites_apart("stress", restructuring_time=1e12, strain_rate=0.1)
    log, turn, rising, falling = EventLog(model), 2, 0.08, -0.05

    def hazard(time, stress):
        top = stress + rising * np.minimum(time, turn)
        later = top + falling * np.maximum(time - turn, 0)
        before = integrated_rate(top, "stress") - integrated_rate(stress, "stress")
        after = integrated_rate(later, "stress") - integrated_rate(top, "stress")
        return before / rising + after / falling

    while hazard(model.time, STRESSES).min() < 20:
        if model.step_count == turn:
            model.activation.set_drive(falling)
        model.step()
    first = log.all()
    assert len(first.x) == SHAPE[0] * SHAPE[1]
    for number, stress in enumerate(STRESSES):
        begun = at_stress(first, number)
        assert_law(begun.start, lambda t, stress=stress: np.exp(-hazard(t, stress)))
    assert 0.2 < np.mean(first.start < turn) < 0.8
    stress = np.repeat(STRESSES, ROWS)[:, None] + rising * turn + falling * (model.time - turn)
    model.clock.complete()
    np.testing.assert_allclose(model.stress, np.broadcast_to(stress, SHAPE), rtol=0, atol=1e-13)


@pytest.mark.parametrize("reading", READINGS)
def test_events_and_stays_at_rest_alternate(reading):
    """Both are exponential; each event ends before the next of the same site begins.

    Stays and events that begin in the first two thirds of the run are counted: they are all but the
    last of each site, and longer ones than a third are too rare to be missed.
    """
    model = sites_apart(reading, RESTRUCTURING_TIME, breadth=16)
    log = EventLog(model)
    on = rate(STRESSES, reading)
    duration = np.ceil(30 / min(on.min(), 1 / RESTRUCTURING_TIME))
    while model.time < duration:
        model.step()
    events = log.all()
    counted = events.where(events.start < duration * 2 / 3)
    assert np.all(np.isfinite(counted.end))
    lasted = counted.end - counted.start
    assert_law(lasted, lambda t: np.exp(-t / RESTRUCTURING_TIME))
    for number in range(len(STRESSES)):
        of_one = at_stress(events, number)
        order = np.lexsort((of_one.start, of_one.x * SHAPE[1] + of_one.y))
        x, y, _, start, end = (array[order] for array in of_one)
        same = (x[1:] == x[:-1]) & (y[1:] == y[:-1]) & (end[:-1] < duration * 2 / 3)
        stays = (start[1:] - end[:-1])[same]
        assert stays.min() > 0
        assert_law(stays, lambda t, number=number: np.exp(-on[number] * t))
        mine = at_stress(counted, number)
        assert_law(mine.end - mine.start, lambda t: np.exp(-t / RESTRUCTURING_TIME))


def test_durations_do_not_depend_on_what_else_yields():
    """Of sites that all begin to yield together and are never renewed."""
    model = sites_apart("stress", RESTRUCTURING_TIME)
    model.activation.rule = model.activation.rule._replace(attempt_rate=1e-300)
    model.set_fields(model.stress, np.ones(SHAPE, np.int8))
    log = EventLog(model)
    while model.clock._engine.progress["active"]:
        model.step()
    ended = log.completed()
    assert len(ended.x) == SHAPE[0] * SHAPE[1]
    assert_law(ended.end, lambda t: np.exp(-t / RESTRUCTURING_TIME))
