"""The random model of the exact clock against its closed laws, in units that are all different.

Averages are compared within four errors, which are known or come from blocks of time and must be
small enough to tell; samples by Kolmogorov and Smirnov or by chi^2 at a significance of 1e-3.  The
seeds are fixed.
"""

import math

import numpy as np
import oracle
import pytest
from event_log import EventLog
from exact_runs import configuration
from scipy import stats

from epmpi.model.model import Model

pytestmark = pytest.mark.statistics

SHAPE = (24, 20)
SITES = SHAPE[0] * SHAPE[1]
ACTIVITY = 0.1
EVENT_STRAIN, RELAXATION_TIME, RESTRUCTURING_TIME, MODULUS = 0.8, 1.6, 1.25, 0.7
STRAIN_RATE = EVENT_STRAIN / (2 * RELAXATION_TIME)
OFF = 1 / RESTRUCTURING_TIME
ON = OFF * ACTIVITY / (1 - ACTIVITY)
SIGNIFICANCE = 1e-3


def model_of(tick, tracers=0):
    return Model(
        configuration(
            tick,
            lattice={"shape": SHAPE},
            model={
                "activation": "random",
                "activity": ACTIVITY,
                "event_strain": EVENT_STRAIN,
                "relaxation_time": RELAXATION_TIME,
                "restructuring_time": RESTRUCTURING_TIME,
                "shear_modulus": MODULUS,
            },
            tracers={"number": tracers},
            output={"trajectory_every": 0.0},
            initial={"state": "zero", "stress_deviation": 0.0},
        )
    )


def assert_mean(samples, expected, precision, blocks=30):
    """Compare the mean of a time series with its exact value, within 4 errors from blocks."""
    means = np.array([block.mean() for block in np.array_split(samples, blocks)])
    error = means.std(ddof=1) / math.sqrt(blocks)
    assert error < precision * expected, "too few samples to tell"
    assert abs(means.mean() - expected) < 4 * error


def test_activity():
    """Sites are independent: the error of the mean is known, and the number active is binomial."""
    model, ticks, tick = model_of(tick=12.0), 200, 12.0  # ten times 1 / (ON + OFF)
    active = []
    for _ in range(ticks):
        active.append(round(model.observables()["activity"] * SITES))
        model.step()
    mean = model.observables()["active_time"] / (ticks * tick * SITES)
    variance = ACTIVITY * (1 - ACTIVITY) / SITES * 2 / (ON + OFF) / (ticks * tick)
    assert math.sqrt(variance) < 0.006 * ACTIVITY
    assert abs(mean - ACTIVITY) < 4 * math.sqrt(variance)
    edges = stats.binom.ppf(np.linspace(0.1, 0.9, 9), SITES, ACTIVITY)
    expected = np.diff(stats.binom.cdf(edges, SITES, ACTIVITY), prepend=0, append=1)
    found = np.bincount(np.searchsorted(edges, active), minlength=len(expected))
    assert stats.chisquare(found, expected * ticks).pvalue > SIGNIFICANCE


def waiting_time_law(time):
    """Return P(wait < t), of the sum of an exponential stay in each state."""
    return 1 - (OFF * np.exp(-ON * time) - ON * np.exp(-OFF * time)) / (OFF - ON)


def test_durations_directions_and_waits():
    model = model_of(tick=10.0)
    log, waits = EventLog(model), model.clock.waiting_times(0)
    model.accumulate("waits", waits)
    for _ in range(60):
        model.step()
    model.state()
    events = log.all()
    half = events.where((events.start < model.time / 2) & (events.start > 0))
    assert len(half.x) > 5000
    assert np.all(np.isfinite(half.end))
    law = stats.expon(scale=RESTRUCTURING_TIME)
    assert stats.kstest(half.end - half.start, law.cdf).pvalue > SIGNIFICANCE
    positive = int(np.sum(half.direction > 0))
    assert stats.binomtest(positive, len(half.x)).pvalue > SIGNIFICANCE
    # Of one event and the next of the same site: each direction is drawn anew.
    order = np.lexsort((events.start, events.x * SHAPE[1] + events.y))
    x, y, direction, start, _ = (array[order] for array in events)
    # Those at the start of the run had begun before it.
    same = (x[1:] == x[:-1]) & (y[1:] == y[:-1]) & (start[:-1] > 0)
    counted = same & (start[:-1] < model.time / 2)
    waited = np.diff(start)
    assert stats.kstest(waited[counted], waiting_time_law).pvalue > SIGNIFICANCE
    alike = int(np.sum(direction[1:][counted] == direction[:-1][counted]))
    assert stats.binomtest(alike, int(counted.sum())).pvalue > SIGNIFICANCE
    # What the run writes of them is the same.
    found = np.histogram(waited[same], waits.edges * 10.0)[0]
    np.testing.assert_array_equal(waits.number, found)


def walk(time):
    """Return the mean square of the integral of n s over a time, for a = 1."""
    x = time / RESTRUCTURING_TIME
    return 2 * RESTRUCTURING_TIME**2 * (x - 1 + np.exp(-x))


def test_stress_and_displacement_walk():
    """Exact result 5, for the displacement of a site and for its stress alike.

    The stress walks without end: ``<(d sigma)^2> = a (mu eps0 / tau)^2 walk(t) <|G(q)|^2>``.
    """
    tick = 0.5
    model = model_of(tick)
    stress, displacement = [], []
    for _ in range(3000):
        model.step()
        model.clock.complete()
        stress.append(model.stress.copy())
        displacement.append(oracle.displacement(model.plastic_strain))
    stress, displacement = np.array(stress), np.array(displacement)
    kernel = oracle.stress_propagator(SHAPE, "continuum", "strain", 1.0)
    of_stress = ACTIVITY * (2 * MODULUS * STRAIN_RATE) ** 2 * np.mean(kernel**2)
    power = sum(np.abs(kernel) ** 2 for kernel in oracle.displacement_kernels(SHAPE))
    of_displacement = ACTIVITY * STRAIN_RATE**2 * np.mean(power)
    for lag in (1, 4, 20, 60):  # times 0.5 ... 30, from 0.4 to 24 restructuring times
        squares = np.mean((stress[lag:] - stress[:-lag]) ** 2, axis=(1, 2))
        assert_mean(squares, of_stress * walk(lag * tick), precision=0.06)
        moved = np.sum((displacement[lag:] - displacement[:-lag]) ** 2, axis=1).mean(axis=(1, 2))
        assert_mean(moved, of_displacement * walk(lag * tick), precision=0.06)


def test_tracers_move_with_the_velocity_of_bilinear_interpolation():
    """Exact result 4, weighted by (2 + cos qx)(2 + cos qy) / 9, at positions drawn afresh."""
    tick, number = 0.5, SITES
    model = model_of(tick, tracers=number)
    random = np.random.default_rng(8)
    samples = []
    for _ in range(1600):
        model.clock.place_tracers()
        start = random.uniform(0, 1, (number, 2)) * SHAPE
        model.tracers.set(np.arange(number), start.copy())
        model.step()
        model.clock.place_tracers()
        moved = model.tracers.position - start[model.tracers.identity]
        samples.append(np.mean(np.sum(moved**2, axis=1)))
    qx, qy = oracle.wavevectors(SHAPE)
    power = sum(np.abs(kernel) ** 2 for kernel in oracle.displacement_kernels(SHAPE))
    weighted = np.mean(power * (2 + np.cos(qx)) * (2 + np.cos(qy)) / 9)
    expected = ACTIVITY * STRAIN_RATE**2 * weighted * walk(tick)
    assert_mean(np.array(samples), expected, precision=0.02)
