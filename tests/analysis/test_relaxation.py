import numpy as np
import pytest
from run_files import brownian
from synthetic_decay import ALPHA, EVER, GAMMA, N, synthetic

from epmpi.analysis.lags import sliding_lags
from epmpi.analysis.regimes import Window
from epmpi.analysis.relaxation import crossing, fit_window, relaxation_times
from epmpi.analysis.run_file import Clock
from epmpi.analysis.structure_factor import CosineSums
from epmpi.analysis.wavevectors import choose_shells


def test_a_perfect_collapse_is_found_exactly():
    fit = fit_window(synthetic(1, noise=0.0), EVER)
    assert fit is not None
    assert (fit.alpha, fit.n, fit.gamma) == pytest.approx((ALPHA, N, GAMMA), rel=1e-5)
    assert fit.deviation < 1e-4
    np.testing.assert_allclose(
        fit.curve(0.7, np.array([2.0])), np.exp(-ALPHA * (0.7**N * 2) ** GAMMA), rtol=1e-5
    )


@pytest.mark.statistics
def test_the_errors_of_a_fit_cover_the_truth():
    fits = [fit_window(synthetic(seed, noise=0.1), EVER) for seed in range(25)]
    for name, truth in (("alpha", ALPHA), ("n", N), ("gamma", GAMMA)):
        value = np.array([getattr(fit, name) for fit in fits])
        error = np.array([getattr(fit, f"{name}_error") for fit in fits])
        assert value.mean() == pytest.approx(truth, rel=0.02)
        assert 0.4 < np.mean(np.abs(value - truth) <= error) < 0.95  # 0.683 +- 0.09


def test_points_near_the_floor_are_left_out():
    few = fit_window(synthetic(1, noise=0.01, tracers=50), EVER)
    many = fit_window(synthetic(1, noise=0.01), EVER)
    assert few is not None
    assert many is not None
    assert few.points < many.points
    assert few.value_range[0] > 20 / (2 * 50)
    assert many.value_range[0] > 0.02


def test_a_window_without_points_has_no_fit():
    assert fit_window(synthetic(1, noise=0.01), Window("II", 50, 60)) is None
    assert fit_window(synthetic(1, noise=0.01), Window("II", 0.09, 0.11)) is None


def test_the_relaxation_time_is_where_the_curve_crosses():
    factor = synthetic(3, noise=0.02)
    times = relaxation_times(factor)
    truth = (1 / ALPHA) ** (1 / GAMMA) / factor.q**N
    reached = truth < factor.lag[-1]
    np.testing.assert_array_equal(np.isfinite(times.value), reached)
    np.testing.assert_allclose(times.value[reached], truth[reached], rtol=0.02)
    assert (times.error[reached] > 0).all()


def test_the_crossing_of_a_stretched_exponential():
    """Interpolation in ln(-ln C) against ln t is exact for exp(-(t/tau)^beta)."""
    t = np.array([1.0, 5.0, 40.0, 90.0])
    value = np.exp(-((t / 20.0) ** 0.7))
    assert crossing(t, value) == pytest.approx(20)
    assert crossing(t, value, 0.7) == pytest.approx(20 * (-np.log(0.7)) ** (1 / 0.7))
    assert np.isnan(crossing(t, value, 0.01))
    assert np.isnan(crossing(t, value, 0.99))
    assert np.isnan(crossing(t, np.array([0.9, 0.5, -0.1, 0.0])))


@pytest.mark.statistics
def test_brownian_motion_from_the_trajectory_to_the_exponents():
    coefficient = 0.05
    position = brownian(800, 400, coefficient, seed=5)
    steps = np.arange(len(position))
    lags = sliding_lags(Clock(steps, 0.5 * steps), most_origins=128)
    cosines = CosineSums(lags, choose_shells((32, 32))[1:7])
    cosines.add(position)
    factor = cosines.result()
    fit = fit_window(factor, Window("III", 0.5, 30.0))
    assert fit is not None
    assert fit.n == pytest.approx(2, abs=3 * fit.n_error + 0.01)
    assert fit.gamma == pytest.approx(1, abs=3 * fit.gamma_error + 0.01)
    assert fit.alpha == pytest.approx(2 * coefficient, abs=3 * fit.alpha_error + 0.001)
    times = relaxation_times(factor)
    reached = np.isfinite(times.value)
    assert reached.sum() >= 2
    truth = 1 / (2 * coefficient * factor.q[reached] ** 2)
    np.testing.assert_allclose(times.value[reached], truth, rtol=0.1)
