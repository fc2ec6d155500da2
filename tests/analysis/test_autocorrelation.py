import numpy as np
import pytest
from known_data import coverage, covers, ornstein_uhlenbeck
from run_files import STEP, brownian

from epmpi.analysis.autocorrelation import Autocorrelation, unit_displacements
from epmpi.analysis.lags import sliding_lags
from epmpi.analysis.run_file import Clock
from epmpi.analysis.stress import fit_stretched_exponential


def clock(frames, every=10):
    step = every * np.arange(frames)
    return Clock(step, STEP * step)


def correlate(series):
    """Return the sums of a stress, added in two parts."""
    sums = Autocorrelation(len(series), sliding_lags(clock(len(series))))
    half = series.shape[1] // 2
    sums.add(series[:, :half])
    sums.add(series[:, half:])
    return sums


def test_an_ornstein_uhlenbeck_stress():
    sums = correlate(3.0 + 0.5 * ornstein_uhlenbeck(800, 100, 0.9, seed=1))
    curve = sums.result("stress_correlation", "", subtract_mean=True)
    truth = 0.9 ** (curve.x / (10 * STEP))
    assert np.all(np.abs(curve.value - truth) < 4 * curve.error + 1e-3)
    assert curve.parameters["variance"] == pytest.approx(0.25, rel=0.05)
    fit = fit_stretched_exponential(curve)
    assert fit.parameter("exponent")[0] == pytest.approx(1, abs=0.06)
    assert fit.parameter("time")[0] == pytest.approx(-10 * STEP / np.log(0.9), rel=0.1)
    assert fit.parameter("height")[0] == pytest.approx(1, abs=0.05)


@pytest.mark.statistics
def test_the_error_bar_covers_the_truth():
    lag = sliding_lags(clock(400))[2]

    def measure(seed):
        sums = Autocorrelation(400, [lag])
        sums.add(ornstein_uhlenbeck(400, 4, 0.7, seed))
        curve = sums.result("c", "", False)
        return curve.value[0], curve.error[0]

    assert covers(coverage(measure, 0.7 ** (lag.time / (10 * STEP)), range(200)), 200)


@pytest.mark.statistics
def test_the_errors_of_its_stretched_exponential_cover_the_truth():
    truth = {"exponent": 1.0, "time": -10 * STEP / np.log(0.9), "height": 1.0}
    found = {name: [] for name in truth}
    for seed in range(100):
        sums = correlate(1.0 + ornstein_uhlenbeck(400, 40, 0.9, seed))
        curve = sums.result("stress_correlation", "", subtract_mean=True)
        fit = fit_stretched_exponential(curve)
        for name, exact in truth.items():
            value, error = fit.parameter(name)
            found[name].append(abs(value - exact) <= error)
    for name, inside in found.items():
        assert covers(np.mean(inside), 100), name


def test_a_correlation_without_one_block_is_that_of_the_rest():
    series = ornstein_uhlenbeck(400, 4, 0.7, seed=3)
    sums = correlate(series)
    without_last = sums.result("c", "", subtract_mean=False).left_out[-1]
    assert without_last.shape == (len(sums.lags),)
    for lag, value in zip(sums.lags, without_last, strict=True):
        kept = series[: 400 - 50]  # frames, and origins, of seven blocks of eight
        origins = np.arange(lag.count)[: lag.count - lag.count // 8]
        ahead = round(lag.time / (10 * STEP))
        product = np.mean(np.sum(series[origins] * series[origins + ahead], axis=1))
        assert value == pytest.approx(product / np.mean(np.sum(kept**2, axis=1)), rel=1e-12)


def test_brownian_displacements_are_not_correlated():
    position = brownian(1500, 60, 0.05, seed=3)
    found, pairs = unit_displacements(clock(1500), 1.0)
    assert np.all(pairs.ends - pairs.origins == 2)
    sums = Autocorrelation(pairs.count, sliding_lags(found), pairs)
    sums.add(position)
    curve = sums.result("c", "", False)
    # Displacements over 1 tau overlap by one half at a lag of half of it.
    assert curve.x[0] == pytest.approx(0.5)
    assert curve.value[0] == pytest.approx(0.5, abs=4 * curve.error[0])
    apart = curve.x > 0.9
    assert np.all(np.abs(curve.value[apart]) < 4.5 * curve.error[apart])


def test_ballistic_displacements_stay_correlated():
    position = np.arange(60.0)[:, None, None] * np.array([[[0.1, -0.2], [0.3, 0.0]]])
    _, pairs = unit_displacements(clock(60), 1.0)
    sums = Autocorrelation(pairs.count, sliding_lags(clock(pairs.count)), pairs)
    sums.add(position)
    np.testing.assert_allclose(sums.result("c", "", False).value, 1)


def test_frames_without_a_partner_a_unit_later():
    assert unit_displacements(clock(50, every=30), 1.0) is None
    ragged = Clock(np.array([0, 20, 100, 120, 300]), STEP * np.array([0, 20, 100, 120, 300]))
    _, pairs = unit_displacements(ragged, 1.0)
    assert pairs.origins.tolist() == [0, 2] and pairs.ends.tolist() == [1, 3]
