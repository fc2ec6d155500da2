import numpy as np
import pytest
from run_files import brownian

from epmpi.analysis.lags import sliding_lags
from epmpi.analysis.run_file import Clock
from epmpi.analysis.structure_factor import CosineSums
from epmpi.analysis.wavevectors import choose_shells


def measure(position, shape, interval=0.5, width=None, shells=None):
    steps = np.arange(len(position))
    lags = sliding_lags(Clock(steps, interval * steps))
    cosines = CosineSums(lags, shells or choose_shells(shape))
    for start in range(0, position.shape[1], width or position.shape[1]):
        cosines.add(position[:, start : start + (width or position.shape[1])])
    return cosines.result()


def test_the_definition_written_out():
    shape = (12, 20)
    position = brownian(40, 7, 0.2, seed=1) + 300.0
    factor = measure(position, shape, interval=1.0, width=3)
    for column, lag in enumerate(factor.lag.astype(int)):
        moved = position[lag:] - position[:-lag]
        for row, shell in enumerate(factor.shells):
            squares = [np.cos(moved @ q).sum(axis=1) ** 2 for q in shell.wavevectors]
            expected = np.mean(squares) / 7 / 7  # S(q,0) = M
            assert factor.value[row, column] == pytest.approx(expected, rel=1e-9)


def test_common_ballistic_motion():
    time = 0.5 * np.arange(100)
    start = np.random.default_rng(2).uniform(0, 16, (9, 2))
    velocity = np.array([0.02, 0.05])
    factor = measure(start + time[:, None, None] * velocity, (16, 24))
    expected = [
        [np.mean(np.cos(shell.wavevectors @ velocity * lag) ** 2) for lag in factor.lag]
        for shell in factor.shells
    ]
    np.testing.assert_allclose(factor.value, expected, atol=1e-12)
    np.testing.assert_allclose(factor.error, 0, atol=1e-9)


@pytest.mark.statistics
def test_brownian_tracers_with_their_self_term():
    # <[sum cos]^2>/M^2 = (1 - 1/M) c(q)^2 + (1 + c(2q))/(2M), c(q) = exp(-q^2 D t).
    tracers, coefficient = 25, 0.2
    shells = choose_shells((16, 16))[2:]
    runs = [
        measure(brownian(400, tracers, coefficient, seed), (16, 16), shells=shells)
        for seed in range(12)
    ]
    value = np.array([run.value for run in runs])
    q, lag = runs[0].q[:, None], runs[0].lag
    decay = np.exp(-(q**2) * coefficient * lag)
    expected = (1 - 1 / tracers) * decay**2 + (1 + decay**4) / (2 * tracers)
    error = value.std(axis=0, ddof=1) / np.sqrt(len(runs))
    deviation = (value.mean(axis=0) - expected) / error
    assert np.sqrt(np.mean(deviation**2)) < 1.6
    assert value.mean(axis=0)[-1, -1] == pytest.approx(runs[0].floor, rel=0.15)
    covered = np.mean([np.abs(run.value - expected) <= run.error for run in runs])
    assert 0.55 < covered < 0.8
