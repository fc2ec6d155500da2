import numpy as np
import pytest
from run_files import brownian, write_run

from epmpi.analysis.random_model import velocity_sum
from epmpi.campaign.quantities import QUANTITIES, Source, measure_quantities


def test_gamma_of_ballistic_and_of_brownian_tracers(tmp_path):
    """The exponent of -ln S in t is that of the mean square displacement: 2 and 1."""
    random, step = np.random.default_rng(1), np.arange(0, 400) * 8  # frames every 0.4
    speed = random.normal(0, 0.02, (1, 300, 2))
    ballistic = write_run(
        tmp_path / "straight", position=speed * step[:, None, None] * 0.05, position_step=step
    )
    wandering = write_run(
        tmp_path / "brownian",
        position=brownian(400, 300, 0.002, seed=2, interval=0.4),
        position_step=step,
    )
    runs = {ballistic: ["gamma_short"], wandering: ["gamma_short"]}
    straight, diffusive = (found["gamma_short"] for found in measure_quantities(runs, workers=1))
    assert straight[0] == pytest.approx(2, abs=0.01)
    assert abs(diffusive[0] - 1) < 4 * diffusive[1] < 0.2


def test_lags_that_a_run_lacks_give_no_gamma(tmp_path):
    run = write_run(tmp_path / "run", position=brownian(100, 5, 0.02, seed=1))  # every 0.5
    assert np.isnan(measure_quantities({run: ["gamma_short"]}, workers=1)[0]["gamma_short"][0])


def test_averages_without_a_trajectory(tmp_path):
    run = write_run(tmp_path / "run", series={"activity": np.linspace(0.01, 0.03, 200)})
    (found,) = measure_quantities({run: ["activity", "diffusion_50", "gamma_short"]}, workers=1)
    assert found["activity"][0] == pytest.approx(0.02)
    assert np.isnan([found["diffusion_50"][0], found["gamma_short"][0]]).all()


def test_the_stress_of_the_random_model_is_not_stationary():
    assert np.isnan(QUANTITIES["stress_variance"](Source(Run(activation="random")))[0])


class Run:
    """A run of the random model, as far as its law needs it."""

    shape = (16, 16)

    def __init__(self, **parameters):
        self.parameters = parameters

    def parameter(self, section, key):
        return self.parameters[key]


def test_the_velocity_law_of_the_random_model():
    run = Run(activity=0.1, interpolation="bilinear", event_strain=0.5, relaxation_time=2.0)
    value, error = QUANTITIES["velocity_law"](Source(run))
    assert value == pytest.approx(0.1 * 0.25**2 * velocity_sum((16, 16), "bilinear"))
    assert error == 0
    thermal = Run(activity=None, interpolation="bilinear")
    assert np.isnan(QUANTITIES["velocity_law"](Source(thermal))[0])


def test_diffusion_at_a_lag(tmp_path):
    path = write_run(tmp_path / "run", position=brownian(2000, 60, 0.02, seed=3))
    found = measure_quantities({path: ["diffusion_50"]}, workers=1)
    value, error = found[0]["diffusion_50"]
    assert 0 < error < 0.003
    assert abs(value - 0.02) < 4 * error
