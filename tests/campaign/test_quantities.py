import numpy as np
import pytest
from known_logs import SHAPE, SITES, log_of
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


RATE, DURATION = 0.02, 8000.0


def run_of_independent_sites(path, seed, until=DURATION, **settings):
    """Return a run whose sites yield at a constant rate each; it may stop before its end."""
    random = np.random.default_rng(seed)
    number = random.poisson(RATE * SITES * until)
    start, site = random.uniform(0, until, number), random.integers(0, SITES, number)
    distance = random.exponential(0.3, number)
    return write_run(path, shape=SHAPE, events=log_of(start, site, distance), **settings)


@pytest.mark.parametrize("until", [DURATION, 3000.0], ids=["complete", "stopped early"])
def test_the_log_of_independent_sites(tmp_path, until):
    """tau_alpha = ln 2 / r, where chi_4 is largest, 1/4; events of all sites are a Poisson process.

    The share of its time in bursts is 1 - (1 + r N g) exp(-r N g) for a gap g of 10 attempts.
    """
    ended: dict = {} if until == DURATION else {"ended": {"stopped": "test"}}
    names = ["tau_alpha", "chi_4_peak", "chi_4_time", "burst_time", "event_rate"]
    ended["model"] = {"attempt_rate": 40.0}
    paths = [run_of_independent_sites(tmp_path / str(n), n, until, **ended) for n in range(6)]
    runs = dict.fromkeys(paths, names)
    found = measure_quantities(runs, workers=1)
    load = RATE * SITES * 10.0 / 40.0
    expected = {
        "tau_alpha": np.log(2) / RATE, "chi_4_peak": 0.25, "chi_4_time": np.log(2) / RATE,
        "burst_time": 1 - (1 + load) * np.exp(-load), "event_rate": RATE,
    }  # fmt: skip
    tolerance = {"chi_4_peak": 0.02, "chi_4_time": 3.0}  # of the largest of several lags
    for name, truth in expected.items():
        deviations = [one[name][0] - truth for one in found]
        errors = [one[name][1] for one in found]
        assert np.all(np.array(errors) > 0), name
        mean, error = np.mean(deviations), np.sqrt(np.mean(np.square(errors)) / 6)
        assert abs(mean) < 4 * error + tolerance.get(name, 0.0), name
    of_extremal = measure_quantities({paths[0]: ["weakest_distance"]}, workers=1)[0]
    assert np.isnan(of_extremal["weakest_distance"][0])


def test_the_log_of_the_extremal_driver(tmp_path):
    """Each distance drawn anew: sizes are geometric, the mean distance 0.3."""
    random = np.random.default_rng(4)
    start, distance = np.arange(40000) + 1.0, random.exponential(0.3, 40000)
    run = write_run(
        tmp_path / "run", shape=SHAPE, events=log_of(start, start.astype(int) % SITES, distance),
        model={"activation": "extremal"},
    )  # fmt: skip
    names = ["weakest_distance", "avalanche_exponent", "burst_time", "event_rate"]
    found = measure_quantities({run: names}, workers=1)[0]
    mean, error = found["weakest_distance"]
    assert 0 < error < 0.004
    assert abs(mean - 0.3) < 4 * error
    exponent, error = found["avalanche_exponent"]  # an exponential alone: no power
    assert abs(exponent) < 4 * error
    assert np.isnan([found["burst_time"][0], found["event_rate"][0]]).all()


def test_avalanches_of_slow_shear(tmp_path):
    """Their sizes, geometric, and the stress that loads the sites between two of them."""
    random = np.random.default_rng(6)
    sizes, pauses = random.geometric(0.25, 3000), 20.0 + random.exponential(80.0, 3000)
    waits = np.ones(sizes.sum())  # from one event of an avalanche to the next
    waits[np.cumsum(sizes) - sizes] = pauses
    events = log_of(np.cumsum(waits), np.arange(len(waits)) % SITES)
    names = ["avalanche_size", "avalanche_cutoff", "load_between"]
    truth = {"avalanche_size": 4.0, "avalanche_cutoff": 7.0, "load_between": 2.0 * 1e-4 * 100.0}
    model = {"shear_modulus": 2.0, "strain_rate": -1e-4}
    sheared = write_run(tmp_path / "sheared", shape=SHAPE, events=events, model=model)
    still = write_run(tmp_path / "still", shape=SHAPE, events=events)
    found, other = measure_quantities({sheared: names, still: names}, workers=1)
    for name, value in truth.items():
        assert 0 < found[name][1] < 0.1 * value
        assert abs(found[name][0] - value) < 4 * found[name][1]
    assert np.isnan(other["load_between"][0])
    assert other["avalanche_size"] == found["avalanche_size"]


def test_theta_of_a_power_law(tmp_path):
    random = np.random.default_rng(5)
    stress = 1 - random.random((40, 96, 96)) ** (1 / 1.57)
    instantaneous = {"events": "instantaneous", "thresholds": "uniform", "yield_stress": 1.0}
    run = write_run(
        tmp_path / "run", shape=(96, 96), fields={"stress": stress}, model=instantaneous
    )
    value, error = measure_quantities({run: ["theta"]}, workers=1)[0]["theta"]
    assert 0 < error < 0.05
    assert abs(value - 0.57) < 4 * error
    finite = write_run(tmp_path / "finite", shape=(96, 96), fields={"stress": stress})
    assert np.isnan(measure_quantities({finite: ["theta"]}, workers=1)[0]["theta"][0])


def test_a_run_without_a_log_has_none_of_its_quantities(tmp_path):
    run = write_run(tmp_path / "run", series={"activity": np.linspace(0.01, 0.03, 200)})
    names = ["tau_alpha", "chi_4_peak", "burst_time", "event_rate", "avalanche_exponent", "theta"]
    (found,) = measure_quantities({run: names}, workers=1)
    assert np.isnan([found[name][0] for name in names]).all()
