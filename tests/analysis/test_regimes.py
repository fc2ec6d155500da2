import numpy as np
import pytest

from epmpi.analysis.displacement import Diffusion
from epmpi.analysis.regimes import Window, find_regimes, local_exponent


def diffusion(square, noise=0.01, lag=None, seed=1):
    """D(t) of a given mean square displacement, with independent noise on each of 32 origins."""
    lag = np.geomspace(0.1, 1000, 41) if lag is None else lag
    random = np.random.default_rng(seed)
    by_origin = [value * (1 + noise * random.normal(size=32)) for value in square(lag)]
    mean = np.array([values.mean() for values in by_origin])
    error = np.array([values.std() / np.sqrt(32) for values in by_origin])
    count = np.full(lag.size, 32)
    return Diffusion(
        lag, mean, error, mean / (4 * lag), error / (4 * lag), count, count, count > 0, by_origin
    )


def test_a_power_law_has_its_exponent_everywhere():
    exponent = local_exponent(diffusion(lambda t: 0.3 * t**0.7))
    np.testing.assert_allclose(exponent.value, 0.7, atol=5 * exponent.error.max())
    assert 0 < np.median(exponent.error) < 0.01


def test_the_random_model_goes_from_ballistic_to_diffusive_with_nothing_between():
    # The closed mean square displacement of a site, tau_res = 1.
    found = find_regimes(local_exponent(diffusion(lambda t: 2 * (t - 1 + np.exp(-t)))))
    assert [window.name for window in found] == ["I", "III"]
    assert found[0].start == pytest.approx(0.1)
    assert 1 < found[0].stop < 3
    assert 10 < found[1].start < 100
    assert found[1].stop == pytest.approx(1000)


def test_caging_shows_as_regime_two():
    def square(t):
        return t**2 / (1 + t**1.4) * (1 + (t / 100) ** 2) ** 0.2

    found = find_regimes(local_exponent(diffusion(square)))
    assert [window.name for window in found] == ["I", "II", "III"]
    assert found[1].start > found[0].stop
    assert found[1].stop < found[2].start


def test_noise_is_no_regime():
    found = find_regimes(local_exponent(diffusion(lambda t: t, noise=0.5)))
    assert all(window.name == "III" for window in found)


def test_two_lags_are_no_regime():
    exponent = local_exponent(diffusion(lambda t: t**2, lag=np.array([0.1, 0.2])))
    assert np.isnan(exponent.value).all()
    assert find_regimes(exponent) == []


def test_a_window_holds_its_ends():
    inside = Window("I", 0.1 + 0.2, 0.7).contains(np.array([0.2, 0.3, 0.7, 0.8]))
    np.testing.assert_array_equal(inside, [False, True, True, False])
