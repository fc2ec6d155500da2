import numpy as np
import pytest
from known_data import coverage, covers
from run_files import brownian
from synthetic_decay import ALPHA, EVER, GAMMA, N, synthetic

from epmpi.analysis.collapse import best_collapse, local_q_exponent
from epmpi.analysis.consistency import compare, long_time_coefficient
from epmpi.analysis.curve import Curve
from epmpi.analysis.displacement import SquaredDisplacement
from epmpi.analysis.lags import sliding_lags
from epmpi.analysis.regimes import Window, local_exponent
from epmpi.analysis.relaxation import fit_window
from epmpi.analysis.run_file import Clock
from epmpi.analysis.structure_factor import CosineSums
from epmpi.analysis.wavevectors import choose_shells


def test_a_perfect_collapse():
    found = best_collapse(synthetic(1, noise=0.0), EVER)
    assert found.n == pytest.approx(N, abs=2e-3)
    assert found.misfit < 0.02
    assert found.overlaps > 50


@pytest.mark.statistics
def test_the_error_of_n_covers_the_truth():
    def measure(seed):
        found = best_collapse(synthetic(seed, noise=0.1, origins=8, together=False), EVER)
        return found.n, found.error

    assert covers(coverage(measure, N, range(40)), 40)


def test_exponents_may_be_held():
    fit = fit_window(synthetic(1, noise=0.0), EVER, n=N)
    assert (fit.alpha, fit.n, fit.gamma) == pytest.approx((ALPHA, N, GAMMA), rel=1e-5)
    assert fit.n_error == 0
    both = fit_window(synthetic(1, noise=0.0), EVER, n=N, gamma=GAMMA)
    assert both.alpha == pytest.approx(ALPHA, rel=1e-5)
    assert both.gamma == GAMMA


def test_curves_that_do_not_overlap():
    assert best_collapse(synthetic(1, noise=0.0), Window("I", 0.1, 0.1)) is None


def test_the_local_exponent_of_relaxation_times():
    q = np.geomspace(0.2, 6, 8)
    time = 3 * q**-2.3
    time[0] = np.nan
    curve = local_q_exponent(Curve("relaxation_time", "", "q", q, time, 0.01 * time))
    np.testing.assert_allclose(curve.value, 2.3)
    assert curve.x.size == 6
    assert np.all(curve.error > 0)


def test_brownian_motion_is_consistent():
    """alpha_D = 2 D, from the same trajectory."""
    frames, shape, diffusion = 1500, (16, 24), 0.05
    step = 10 * np.arange(frames)
    lags = sliding_lags(Clock(step, 0.05 * step))
    squares, cosines = SquaredDisplacement(lags), CosineSums(lags, choose_shells(shape))
    position = brownian(frames, 400, diffusion, seed=6)
    squares.add(position)
    cosines.add(position)
    window = Window("III", lags[0].time, lags[-1].time)
    found = squares.result()
    (row,), (fit,) = compare(found, local_exponent(found), cosines.result(), [window])
    assert row.left_value == pytest.approx(2 * diffusion, rel=0.02)
    assert row.right_value == pytest.approx(2 * diffusion, rel=0.02)
    assert abs(row.deviation) < 5
    assert (fit.n, fit.gamma) == (2, 1)


@pytest.mark.statistics
def test_the_error_of_the_diffusion_coefficient_covers_the_truth():
    """One value for lags that share the steps of the same walks."""
    coefficient = 0.05
    step = 10 * np.arange(400)
    lags = sliding_lags(Clock(step, 0.05 * step))

    def measure(seed):
        squares = SquaredDisplacement(lags)
        squares.add(brownian(400, 20, coefficient, seed))
        return long_time_coefficient(squares.result(), Window("III", 5.0, 20.0))

    assert covers(coverage(measure, coefficient, range(200)), 200)
