"""The random model against its exact results: velocities, displacements and waiting times.

Each law is compared with an average and its standard error from blocks of time; four standard
errors are allowed, and the error itself must be small enough to tell.
"""

import math

import numpy as np
import oracle
import pytest
from scipy import stats

from epmpi.config import Configuration
from epmpi.model.model import Model

pytestmark = pytest.mark.statistics

ACTIVITY = 0.1
EVENT_STRAIN, RELAXATION_TIME, RESTRUCTURING_TIME = 0.8, 1.6, 1.25


def model_of(length, step, *overrides):
    """Return a random model on a square lattice, in units that are all different."""
    base = [
        f"lattice.shape=[{length}, {length}]",
        "model.activation=random",
        f"model.activity={ACTIVITY}",
        f"model.event_strain={EVENT_STRAIN}",
        f"model.relaxation_time={RELAXATION_TIME}",
        f"model.restructuring_time={RESTRUCTURING_TIME}",
        f"time.step={step}",
        "time.warmup=0",
        "output.trajectory_every=0",
    ]
    return Model(Configuration().with_overrides([*base, *overrides]))


def velocity_variance(length, bilinear=False):
    """Return ``a (eps0 / tau)^2 S_L``, S_L the mean of |K(q)|^2 over the modes, weighted or not."""
    qx, qy = oracle.wavevectors((length, length))
    power = sum(np.abs(kernel / 2) ** 2 for kernel in oracle.displacement_kernels((length, length)))
    if bilinear:
        power = power * (2 + np.cos(qx)) * (2 + np.cos(qy)) / 9
    return ACTIVITY * (EVENT_STRAIN / RELAXATION_TIME) ** 2 * np.mean(power)


def assert_mean(samples, expected, blocks, precision):
    """Compare the mean of a time series with its exact value, within 4 errors from blocks."""
    means = np.array([block.mean(axis=0) for block in np.array_split(samples, blocks)])
    error = means.std(axis=0, ddof=1) / math.sqrt(blocks)
    assert np.all(error < precision * expected), "too few samples to tell"
    assert np.all(np.abs(means.mean(axis=0) - expected) < 4 * error)


def test_sum_over_modes_is_logarithmic_in_the_size():
    for length in (32, 64, 128):
        s = velocity_variance(length) / (ACTIVITY * (EVENT_STRAIN / RELAXATION_TIME) ** 2)
        assert s == pytest.approx(math.log(length) / (4 * math.pi) + 0.0126, abs=0.003)


def test_velocity_variance_at_the_sites():
    """Exact result 4."""
    length = 32
    model = model_of(length, 0.5, "tracers.number=1", "tracers.every=1")
    convolution, fields = model.clock.elasticity.convolution, model.clock.elasticity.flow_fields
    velocity = np.empty((2, length + 3, length))
    samples = []
    for _ in range(1500):
        convolution.responses(fields, velocity)
        samples.append(np.sum(velocity[:, 1:-2] ** 2) / length**2)
        for _ in range(3):
            model.step()
    assert_mean(np.array(samples), velocity_variance(length), blocks=30, precision=0.01)


def test_velocity_variance_of_bilinear_tracers():
    """Exact result 4, weighted by (2 + cos qx)(2 + cos qy) / 9, at positions drawn afresh."""
    length = 32
    model = model_of(length, 0.5, f"tracers.number={length**2}", "tracers.every=1")
    random = np.random.default_rng(8)
    samples = []
    for _ in range(1500):
        start = random.uniform(0, length, (length**2, 2))
        model.tracers.set(np.arange(length**2), start.copy())
        model.step()
        moved = model.tracers.position - start[model.tracers.identity]
        samples.append(np.mean(np.sum((moved / 0.5) ** 2, axis=1)))
        model.step()
        model.step()
    expected = velocity_variance(length, bilinear=True)
    assert expected < 0.9 * velocity_variance(length)
    assert_mean(np.array(samples), expected, blocks=30, precision=0.01)


def mean_square_displacement(time):
    """Return exact result 5 for unit velocity variance."""
    x = time / RESTRUCTURING_TIME
    return 2 * RESTRUCTURING_TIME**2 * (x - 1 + np.exp(-x))


def mean_square_sum(steps, step):
    """Return the same for velocities that hold over whole steps: a double geometric sum."""
    kept = math.exp(-step / RESTRUCTURING_TIME)
    lags = np.arange(1, steps)
    return step**2 * (steps + 2 * np.sum((steps - lags) * kept**lags))


def test_sum_over_steps_tends_to_the_law_in_continuous_time():
    for time in (1.0, 5.0, 20.0):
        exact = mean_square_displacement(time)
        assert mean_square_sum(round(time / 0.01), 0.01) == pytest.approx(exact, rel=5e-3)
        coarse = mean_square_sum(round(time / 0.1), 0.1) - exact
        fine = mean_square_sum(round(time / 0.05), 0.05) - exact
        assert coarse == pytest.approx(4 * fine, rel=0.01)  # second order in the step


def test_mean_square_displacement_of_a_fixed_site():
    """Exact result 5: ballistic, then diffusive, nothing between."""
    length, step, every = 24, 0.25, 2
    model = model_of(length, step, "tracers.number=0")
    displacement = []
    for n in range(8000):
        if n % every == 0:
            displacement.append(oracle.displacement(model.plastic_strain))
        model.step()
    displacement = np.array(displacement)
    variance = velocity_variance(length)
    for lag in (1, 2, 4, 10, 40):  # times 0.5 ... 20, from 0.4 to 16 restructuring times
        squares = np.sum((displacement[lag:] - displacement[:-lag]) ** 2, axis=1).mean(axis=(1, 2))
        expected = variance * mean_square_sum(lag * every, step)
        assert expected == pytest.approx(
            variance * mean_square_displacement(lag * every * step), rel=0.07 if lag == 1 else 0.03
        )
        assert_mean(squares, expected, blocks=20, precision=0.05)


def waiting_time_survival(steps, begins, ends):
    """Return P(wait > steps) of a sum of two geometric times, with these chances in each step."""
    stay_off, stay_on = 1 - begins, 1 - ends
    return (begins * stay_on**steps - ends * stay_off**steps) / (begins - ends)


def test_waiting_times_tend_to_a_sum_of_two_exponentials():
    """Exact result 5, in continuous time: the law that the next test has in steps."""
    on, off = 0.25, 0.8
    for step in (1e-4, 1e-5):
        for time in (0.5, 2.0, 8.0):
            law = (off * math.exp(-on * time) - on * math.exp(-off * time)) / (off - on)
            steps = round(time / step)
            discrete = waiting_time_survival(
                steps, -math.expm1(-on * step), -math.expm1(-off * step)
            )
            assert discrete == pytest.approx(law, abs=step)


def test_waiting_times_between_activations():
    length, step = 32, 0.05
    model = model_of(length, step, "model.activity=0.3", "tracers.number=0")
    last = np.full((length, length), -1)
    waits, before = [], model.active.copy()
    for n in range(4000):
        model.step()
        began = (before == 0) & (model.active != 0)
        # Waits that began in the first half: all of them end in the second.
        counted = began & (last >= 0) & (last < 2000)
        waits.append(n - last[counted])
        last[began] = n
        before = model.active.copy()
    waits = np.concatenate(waits)
    off = 1 / RESTRUCTURING_TIME
    on = 0.3 / 0.7 * off
    switched = -math.expm1(-(on + off) * step) / (on + off)
    edges = np.array([0, 10, 20, 30, 45, 60, 80, 100, 130, 170, 230, 4000])
    survival = waiting_time_survival(edges, on * switched, off * switched)
    expected = -np.diff(survival) * len(waits)
    assert len(waits) > 15_000
    assert expected.min() > 100
    counts, _ = np.histogram(waits, bins=edges + 0.5)
    assert stats.chisquare(counts, expected, sum_check=False).pvalue > 1e-3
    mean = step * (1 / (on * switched) + 1 / (off * switched))
    # An exit and a return within one step are not seen: (on + off) dt / 2 more than 1/on + 1/off.
    assert mean == pytest.approx((1 / on + 1 / off) * (1 + (on + off) * step / 2), rel=1e-3)
    assert abs(step * waits.mean() - mean) < 4 * step * waits.std() / math.sqrt(len(waits))


def test_activity_is_stationary_from_the_start():
    length, step = 48, 0.5
    model = model_of(length, step, "tracers.number=0")
    activity, events = [], []
    for _ in range(1500):
        model.step()
        observables = model.observables()
        activity.append(observables["activity"])
        events.append(observables["events"])
    assert_mean(np.array(activity), ACTIVITY, blocks=30, precision=0.005)
    # Events that begin in a step and last to its end: those seen, and those that replace another.
    off = 1 / RESTRUCTURING_TIME
    started = ACTIVITY * -math.expm1(-off * step) * length**2
    assert_mean(np.diff(events), started, blocks=30, precision=0.01)
