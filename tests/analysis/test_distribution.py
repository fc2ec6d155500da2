import numpy as np
import pytest
from known_data import coverage, covers
from run_files import STEP, brownian

from epmpi.analysis.distribution import DisplacementDistribution
from epmpi.analysis.heterogeneity import REACH, DisplacementShape
from epmpi.analysis.lags import sliding_lags
from epmpi.analysis.run_file import Clock
from epmpi.analysis.stress import EDGES, StressDistribution

COEFFICIENT = 0.05


def lags(frames):
    step = 10 * np.arange(frames)
    return sliding_lags(Clock(step, STEP * step))


def rayleigh(r, t):
    width = 2 * COEFFICIENT * t
    return r / width * np.exp(-(r**2) / (2 * width))


def test_distance_of_brownian_tracers():
    lag = lags(400)[1]
    sums = DisplacementDistribution(lag)
    position = brownian(400, 200, COEFFICIENT, seed=1)
    sums.add(position[:, :77])
    sums.add(position[:, 77:])
    curve = sums.result("p", "")
    likely = curve.value > 0.05
    assert likely.sum() > 10
    misfit = curve.value / rayleigh(curve.x, lag.time) - 1
    assert np.all(np.abs(misfit[likely]) < 4.5 * curve.error[likely] / curve.value[likely] + 0.01)
    van_hove = sums.result("g", "", radial=True)
    np.testing.assert_allclose(van_hove.value * 2 * np.pi * curve.x, curve.value)
    assert np.sum(sums.sums[0]) == lag.count * 200


@pytest.mark.statistics
def test_the_error_bar_covers_the_truth():
    lag = lags(100)[0]
    edges = np.array([0.1, 0.2, 0.3])
    width = 4 * COEFFICIENT * lag.time
    truth = (np.exp(-0.01 / width) - np.exp(-0.04 / width)) / 0.1

    def measure(seed):
        sums = DisplacementDistribution(lag, edges)
        sums.add(brownian(100, 5, COEFFICIENT, seed))
        curve = sums.result("p", "")
        return curve.value[0], curve.error[0]

    assert covers(coverage(measure, truth, range(200)), 200)


def test_shape_of_brownian_displacements():
    shape = DisplacementShape(lags(600))
    position = brownian(600, 100, COEFFICIENT, seed=2)
    shape.add(position[:, :60])
    shape.add(position[:, 60:])
    alpha, overlap, chi = shape.result()
    assert [curve.name for curve in (alpha, overlap, chi)] == ["alpha_2", "overlap", "chi_4"]
    assert np.all(np.abs(alpha.value) < 4.5 * alpha.error)
    truth = 1 - np.exp(-(REACH**2) / (4 * COEFFICIENT * overlap.x))
    assert np.all(np.abs(overlap.value - truth) < 4.5 * overlap.error + 1e-9)
    independent = truth * (1 - truth)
    early = chi.x < 10  # where the origins are many
    assert np.all(np.abs(chi.value - independent)[early] < 4.5 * chi.error[early] + 1e-3)


def test_shape_of_ballistic_displacements():
    """One speed, random directions: <r^4> = <r^2>^2, so alpha_2 = -1/2; Q is a step."""
    angle = np.random.default_rng(4).uniform(0, 2 * np.pi, 50)
    velocity = 0.11 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    shape = DisplacementShape(lags(100))
    shape.add(10 * STEP * np.arange(100.0)[:, None, None] * velocity)
    alpha, overlap, chi = shape.result()
    np.testing.assert_allclose(alpha.value, -0.5)
    np.testing.assert_array_equal(overlap.value, 0.11 * overlap.x < REACH)
    np.testing.assert_allclose(chi.value, 0, atol=1e-9)


def test_a_gaussian_stress():
    values = 0.3 * np.random.default_rng(5).normal(size=(64, 2000))
    sums = StressDistribution(64, yield_stress=1.0)
    sums.add(values[:, :900])
    sums.add(values[:, 900:])
    curve = sums.result()
    truth = np.exp(-(curve.x**2) / 0.18) / (0.3 * np.sqrt(2 * np.pi))
    assert np.all(np.abs(curve.value - truth) < 4.5 * curve.error + 0.02 * truth + 1e-3)
    assert np.sum(curve.value) * (EDGES[1] - EDGES[0]) == pytest.approx(1)
    assert curve.parameters["variance"] == pytest.approx(0.09, rel=0.02)
    assert curve.parameters["excess_kurtosis"] == pytest.approx(0, abs=0.03)
