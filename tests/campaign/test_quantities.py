from types import SimpleNamespace

import numpy as np
import pytest
from run_files import brownian, write_run

from epmpi.analysis.random_model import velocity_sum
from epmpi.campaign.quantities import QUANTITIES, SHORT_LAGS, measure_quantities


def decay(lags, gamma, noise, seed=1):
    """Give S(q,t) = exp(-alpha (q t)^gamma) with noise from origin to origin."""
    q, lag = np.array([0.5, 1.6, 3.0]), np.array(lags)
    random = np.random.default_rng(seed)
    value = np.exp(-0.01 * (q[:, None] * lag) ** gamma)
    by_origin = [
        column[:, None] ** (1 + noise * random.normal(size=(3, 200))) for column in value.T
    ]
    factor = SimpleNamespace(
        q=q,
        lag=lag,
        value=np.stack([rows.mean(axis=1) for rows in by_origin], axis=1),
        blocks=np.full((3, lag.size), 16),
        by_origin=by_origin,
    )
    return SimpleNamespace(tracers=SimpleNamespace(structure_factor=factor))


def test_gamma_between_lags_that_every_step_has():
    for lags in ((0.4, 0.8, 1.6), (0.05, 0.4, 0.5, 1.0, 1.6, 2.0)):
        value, error = QUANTITIES["gamma_short"](None, decay(lags, 1.8, 0.1))
        assert 0 < error < 0.02
        assert abs(value - 1.8) < 4 * error
    value, _ = QUANTITIES["gamma_short"](None, decay((0.4, 1.5), 1.8, 0.1))
    assert np.isnan(value)
    assert SHORT_LAGS == (0.4, 1.6)


class Run(SimpleNamespace):
    """A run of the random model, as far as its velocities need it."""

    shape = (16, 16)

    def parameter(self, section, key):
        return getattr(self, key)


def test_the_velocity_law_of_the_random_model():
    run = Run(activity=0.1, interpolation="bilinear", event_strain=0.5, relaxation_time=2.0)
    value, error = QUANTITIES["velocity_law"](run, None)
    assert value == pytest.approx(0.1 * 0.25**2 * velocity_sum((16, 16), "bilinear"))
    assert error == 0
    diffusion = SimpleNamespace(
        lag=np.array([0.1]), square=np.array([0.02 * value]), square_error=np.array([0.001 * value])
    )
    analysis = SimpleNamespace(tracers=SimpleNamespace(diffusion=diffusion))
    found = QUANTITIES["velocity_over_law"](run, analysis)
    assert found == (pytest.approx(2), pytest.approx(0.1))
    thermal = Run(activity=None, interpolation="bilinear")
    assert np.isnan(QUANTITIES["velocity_law"](thermal, None)[0])


def test_diffusion_at_a_lag(tmp_path):
    path = write_run(tmp_path / "run", position=brownian(2000, 60, 0.02, seed=3))
    found = measure_quantities({path: ["diffusion_50"]}, workers=1)
    value, error = found[0]["diffusion_50"]
    assert 0 < error < 0.003
    assert abs(value - 0.02) < 4 * error
