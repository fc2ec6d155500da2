import numpy as np
import pytest
from scipy.signal import lfilter

from epmpi.analysis.blocks import (
    block_average,
    correlation_time,
    jackknife_error,
    leave_one_out,
    student_factor,
)


def autoregressive(memory, shape, seed):
    """x_t = memory x_{t-1} + noise, stationary: mean 0, tau = (1 + memory) / (2 (1 - memory))."""
    noise = np.random.default_rng(seed).normal(size=shape)
    noise[..., 0] /= np.sqrt(1 - memory**2)
    return lfilter([1.0], [1.0, -memory], noise, axis=-1)


def test_correlation_time_of_an_autoregressive_series():
    series = autoregressive(0.8, (20, 20000), seed=1)
    tau = np.mean([correlation_time(x) for x in series])
    assert tau == pytest.approx(1.8 / 0.4, rel=0.05)


def test_white_noise_and_a_constant_have_no_memory():
    noise = np.random.default_rng(2).normal(size=50000)
    assert correlation_time(noise) == pytest.approx(0.5, abs=0.05)
    assert correlation_time(np.full(100, 0.1)) == 0.5
    constant = block_average(np.full(100, 0.1))
    assert constant.value == pytest.approx(0.1)
    assert constant.error == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(
    ("memory", "length", "lowest"),
    [
        (0.0, 2000, 0.63),
        (0.9, 4000, 0.62),
        (0.9, 1200, 0.58),  # about 12 blocks
        (0.5, 80, 0.55),  # about 5 blocks: their number follows a noisy correlation time
    ],
)
@pytest.mark.statistics
def test_the_error_bar_covers_the_truth_at_its_stated_rate(memory, length, lowest):
    series = autoregressive(memory, (800, length), seed=3)
    averages = [block_average(x) for x in series]
    covered = np.mean([abs(average.value) <= average.error for average in averages])
    assert lowest < covered < 0.74  # 0.683 is stated; 800 trials have a deviation of 0.016


def test_a_short_series_is_not_resolved():
    assert not block_average(autoregressive(0.95, (200,), seed=4)).resolved
    assert block_average(autoregressive(0.5, (20000,), seed=4)).resolved
    two = block_average([1.0, 3.0])
    assert two.value == 2.0
    assert np.isnan(two.error)
    with pytest.raises(ValueError, match="empty"):
        block_average([])


def test_jackknife_of_a_mean_is_its_standard_error():
    series = np.random.default_rng(5).normal(size=600)
    means = series.reshape(20, 30).mean(axis=1)
    expected = student_factor(20) * means.std(ddof=1) / np.sqrt(20)
    assert jackknife_error(leave_one_out([series], 20)[:, 0]) == pytest.approx(expected)


def test_leaving_one_block_out_of_series_of_different_length():
    left = leave_one_out([np.arange(6.0), np.arange(4.0)], 2)
    np.testing.assert_allclose(left, [[4.0, 2.5], [1.0, 0.5]])


def test_jackknife_leaves_failed_fits_out():
    estimates = np.array([[1.0, 2.0], [np.nan, 1.0], [2.0, 2.0], [3.0, 2.0]])
    np.testing.assert_allclose(jackknife_error(estimates), jackknife_error(estimates[[0, 2, 3]]))
    assert np.isnan(jackknife_error(estimates[:2])).all()
