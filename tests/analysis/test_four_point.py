"""S_4 of logs whose answers are known, and the length in it."""

import numpy as np
import pytest
from known_logs import DURATION, SHAPE, independent, log_of, rows_together

from epmpi.analysis.four_point import curve_of, measure_s_4, ornstein_zernike

RATE, SIDE = 0.002, 3  # of squares of so many sites that yield together


def squares_together(seed):
    """Return a log in which the sites of a square yield together, at any place."""
    random = np.random.default_rng(seed)
    number = random.poisson(RATE * SHAPE[0] * SHAPE[1] * DURATION)
    start = random.uniform(0, DURATION, number)
    corner = random.integers(0, SHAPE, (number, 2))
    inside = np.stack(np.meshgrid(*2 * [np.arange(SIDE)]), axis=-1).reshape(-1, 2)
    place = (corner[:, None] + inside) % SHAPE
    site = place[..., 0] * SHAPE[1] + place[..., 1]
    return log_of(np.repeat(start, SIDE**2), site.reshape(-1))


def law_of_squares(lag):
    """Return S_4 of all modes: two sites at r both persist unless a square hits one of them.

    <p_i p_j> = exp(-rate lag (2 A - overlap(r))), and the Fourier transform of that.
    """
    indicator = np.zeros(SHAPE)
    indicator[:SIDE, :SIDE] = 1
    overlap = np.fft.ifft2(np.abs(np.fft.fft2(indicator)) ** 2).real
    both = np.exp(-RATE * lag * (2 * SIDE**2 - overlap))
    return np.fft.fft2(both - np.exp(-2 * RATE * lag * SIDE**2)).real


def test_s_4_of_independent_sites_is_flat():
    """<p> (1 - <p>) at all q; the fluctuation of the mean takes 1/N of it."""
    lag = np.log(2) / 0.05
    (curve,) = measure_s_4([independent(seed) for seed in range(8)], SHAPE, DURATION, {"s": lag})
    assert np.all(curve.error < 0.01)
    assert np.all(np.abs(curve.value - 0.25) < 5 * curve.error)


def test_s_4_of_rows_is_that_of_a_line():
    """All power has qy = 0, where it is n <p> (1 - <p>)."""
    lag = np.log(2) / 0.05
    (curve,) = measure_s_4([rows_together(seed) for seed in range(8)], SHAPE, DURATION, {"s": lag})
    q = np.hypot(
        2 * np.pi * np.fft.fftfreq(SHAPE[0])[:, None], 2 * np.pi * np.fft.fftfreq(SHAPE[1])[None]
    )
    along = np.zeros(SHAPE, bool)
    along[1:, 0] = True
    edges = 2 * np.pi / SHAPE[0] * np.array([0.5, 1.5])  # of the first shell
    shell = (q >= edges[0]) & (q < edges[1])
    expected = SHAPE[1] / 4 * (shell & along).sum() / shell.sum()
    assert curve.x[0] == pytest.approx(q[shell].mean())
    assert abs(curve.value[0] - expected) < 4 * curve.error[0]


def test_s_4_of_squares_at_several_lags():
    """Shell by shell, at half, once and twice the lag at which half of the sites persist."""
    half = np.log(2) / (RATE * SIDE**2)
    lags = {"early": half / 2, "middle": half, "late": 2 * half}
    curves = measure_s_4([squares_together(seed) for seed in range(8)], SHAPE, DURATION, lags)
    q = np.hypot(
        2 * np.pi * np.fft.fftfreq(SHAPE[0])[:, None], 2 * np.pi * np.fft.fftfreq(SHAPE[1])[None]
    )
    assert [curve.name for curve in curves] == list(lags)
    for curve, lag in zip(curves, lags.values(), strict=True):
        assert curve.parameters["lag"] == lag
        law, unit = law_of_squares(lag), 2 * np.pi / SHAPE[0]
        edges = unit * (np.unique(np.geomspace(1, SHAPE[0] / 2, 24).round()) - 0.5)
        shell = np.digitize(q, edges)
        expected = np.array([law[shell == n].mean() for n in range(1, len(edges))])
        assert expected.max() > 5 * expected.min()
        assert np.all(np.abs(curve.value - expected) < 5 * curve.error + 0.02 * expected)


def test_a_window_without_events():
    events = independent(5)
    late = log_of(events.start / 2 + DURATION / 2, events.x * SHAPE[1] + events.y)
    (curve,) = measure_s_4([late], SHAPE, DURATION, {"s": 20.0})
    assert np.isfinite(curve.error).all()


def test_the_law_of_ornstein_and_zernike_is_found():
    q = np.linspace(0.05, 0.6, 12)
    exact = 8.0 / (1 + (5.0 * q) ** 2)
    np.testing.assert_allclose(ornstein_zernike(q, exact, 0.1 * exact), [8.0, 5.0], rtol=1e-6)
    assert np.isnan(ornstein_zernike(q[:2], exact[:2], exact[:2])).all()
    assert np.isnan(ornstein_zernike(q, q, 0.1 * q)).all()  # it rises: no length


def test_the_errors_of_limit_and_length_cover_the_truth():
    """Of powers that are exponential, as those of Gaussian modes, in each of independent origins.

    The fit ends where S_4 is a third, at (q xi)^2 = 2.
    """
    q, modes = np.linspace(0.05, 1.0, 20), np.arange(4, 84, 4)
    law, deviations = 8.0 / (1 + (5.0 * q) ** 2), []
    for seed in range(40):
        random = np.random.default_rng(seed)
        series = law[:, None] * random.gamma(modes[:, None], 1 / modes[:, None], (20, 256))
        found = curve_of("s", 1.0, q, series, 1).parameters
        deviations.append(
            [
                (found["limit"] - 8.0) / found["limit_error"],
                (found["length"] - 5.0) / found["length_error"],
            ]
        )
    assert np.all(np.abs(np.mean(deviations, axis=0)) < 0.7)
    assert np.all((np.std(deviations, axis=0) > 0.6) & (np.std(deviations, axis=0) < 1.6))
