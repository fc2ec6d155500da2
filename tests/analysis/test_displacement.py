import numpy as np
import pytest
from run_files import brownian

from epmpi.analysis.displacement import SquaredDisplacement
from epmpi.analysis.lags import sliding_lags
from epmpi.analysis.run_file import Clock


def measure(position, interval=0.5, width=None):
    steps = np.arange(len(position))
    squares = SquaredDisplacement(sliding_lags(Clock(steps, interval * steps)))
    for start in range(0, position.shape[1], width or position.shape[1]):
        squares.add(position[:, start : start + (width or position.shape[1])])
    return squares.result()


def test_ballistic_tracers_have_t_squared_exactly():
    velocity = np.array([[0.3, 0.4], [-0.6, 0.8], [0.0, 1.0]])
    time = 0.5 * np.arange(200)
    diffusion = measure(100.0 + time[:, None, None] * velocity)
    speed = np.mean([0.25, 1.0, 1.0])
    np.testing.assert_allclose(diffusion.square, speed * diffusion.lag**2, rtol=1e-11)
    np.testing.assert_allclose(diffusion.coefficient, speed * diffusion.lag / 4, rtol=1e-11)
    np.testing.assert_allclose(diffusion.square_error, 0, atol=1e-9)


def test_every_origin_counts_once():
    position = np.random.default_rng(1).normal(size=(40, 5, 2))
    diffusion = measure(position, interval=1.0)
    for lag, square in zip(diffusion.lag.astype(int), diffusion.square, strict=True):
        moved = position[lag:] - position[:-lag]
        assert square == pytest.approx((moved**2).sum(axis=2).mean(), rel=1e-13)


def test_strips_of_tracers_add_up():
    position = brownian(60, 11, 0.1, seed=2)
    np.testing.assert_allclose(measure(position, width=4).square, measure(position).square)


@pytest.mark.statistics
def test_brownian_tracers_give_their_coefficient_and_honest_errors():
    coefficient, covered, ratios = 0.03, [], []
    for seed in range(60):
        diffusion = measure(brownian(300, 8, coefficient, seed))
        deviation = np.abs(diffusion.coefficient - coefficient)
        covered.append(deviation <= diffusion.coefficient_error)
        ratios.append(diffusion.coefficient / coefficient)
    assert np.mean(ratios, axis=0) == pytest.approx(1, abs=0.12)
    rate = np.mean(covered, axis=0)
    assert 0.58 < rate.mean() < 0.76  # 0.683 is stated
    assert rate.min() > 0.42  # the longest lags, too: 60 trials have a deviation of 0.06
