"""P(x) of samples of a known law, and the distances of the weakest sites."""

import numpy as np
import pytest
from known_logs import SITES, log_of

from epmpi.analysis import RunFile
from epmpi.analysis.distances import DistanceDistribution, measure_weakest
from epmpi.analysis.field_results import measure_fields

FRAMES, NUMBER = 32, 20000


def power_law(theta, seed):
    """Return distances that have the density (1 + theta) x^theta."""
    random = np.random.default_rng(seed)
    return random.random((FRAMES, NUMBER)) ** (1 / (1 + theta))


@pytest.mark.parametrize("theta", [0.0, 0.57, 1.0])
def test_the_exponent_of_a_power_law_is_found(theta):
    deviations = []
    for seed in range(10):
        counts = DistanceDistribution(FRAMES, NUMBER)
        distance = power_law(theta, seed)
        counts.add(distance[:, :1000])
        counts.add(distance[:, 1000:])
        law = counts.fit()
        found, error = law.parameter("theta")
        assert 0 < error < 0.08
        deviations.append((found - theta) / error)
    assert abs(np.mean(deviations)) < 1.2
    assert 0.4 < np.std(deviations) < 1.8


def test_the_density_is_that_of_the_law():
    counts = DistanceDistribution(FRAMES, NUMBER)
    counts.add(power_law(0.57, 1))
    curve = counts.result()
    expected = 1.57 * curve.x**0.57
    seen = (curve.x > 3e-3) & (curve.x < 0.9)  # beyond, a bin is wider than the law is straight
    assert np.all(
        np.abs(curve.value - expected)[seen] < 5 * curve.error[seen] + 0.03 * expected[seen]
    )
    assert curve.parameters["beyond"] == pytest.approx(0, abs=1e-4)


def test_sites_beyond_their_threshold_are_counted_apart():
    counts = DistanceDistribution(FRAMES, NUMBER)
    distance = power_law(0.5, 2)
    distance[:, :2000] = -0.5
    counts.add(distance)
    assert counts.result().parameters["beyond"] == pytest.approx(0.1, abs=0.001)


def test_the_fit_leaves_out_the_ten_weakest_sites():
    counts = DistanceDistribution(FRAMES, NUMBER)
    counts.add(power_law(0.5, 3))
    span = counts.fit().span
    assert (10 / NUMBER) ** (1 / 1.5) <= span[0] < 1.6 * (10 / NUMBER) ** (1 / 1.5)
    assert span[1] < 0.1
    few = DistanceDistribution(FRAMES, NUMBER)
    few.add(np.ones((FRAMES, NUMBER)))
    assert few.fit() is None


def test_replicas_are_blocks():
    several = [DistanceDistribution(FRAMES, NUMBER) for _ in range(6)]
    for seed, one in enumerate(several):
        one.add(power_law(0.57, seed))
    several[0].join(several[1:])
    assert several[0].sums[0].shape[0] == 6
    theta, error = several[0].fit().parameter("theta")
    assert abs(theta - 0.57) < 4 * error + 0.01


@pytest.mark.parametrize("spread", [0.0, 0.3], ids=["one threshold", "random thresholds"])
def test_distances_of_a_run_are_those_of_each_site_and_frame(make_run, spread):
    """Of stresses of both signs; the threshold of a site changes from frame to frame."""
    random = np.random.default_rng(11)
    distance, yield_stress = power_law(0.57, 4).reshape(FRAMES, 125, 160), 2.5
    threshold = yield_stress * (1 + spread * random.normal(size=distance.shape))
    stress = (threshold - yield_stress * distance) * random.choice([-1.0, 1.0], distance.shape)
    beyond = threshold < yield_stress * distance  # no stress is so far below its threshold
    model = {"events": "instantaneous", "yield_stress": yield_stress, "thresholds": "uniform"}
    fields = {"stress": stress}
    if spread:
        model["thresholds"] = "normal"
        fields["threshold"] = np.where(beyond, yield_stress * distance + np.abs(stress), threshold)
    with RunFile(make_run(shape=(125, 160), fields=fields, model=model)) as run:
        found = measure_fields([run])
    theta, error = found.laws["distance_distribution"].parameter("theta")
    assert 0 < error < 0.08
    assert abs(theta - 0.57) < 4 * error
    curve = next(one for one in found.curves if one.name == "distance_distribution")
    counted = np.histogram(distance, np.geomspace(0.01, 0.1, 9))[0] / distance.size
    inside = (curve.x > 0.01) & (curve.x < 0.1)
    width = np.diff(np.geomspace(0.01, 0.1, 9))
    np.testing.assert_allclose(curve.value[inside], counted / width, rtol=1e-9)


def test_random_thresholds_that_were_not_kept_give_no_distances(make_run):
    model = {"events": "instantaneous", "yield_stress": 1.0, "thresholds": "weibull"}
    stress = np.random.default_rng(1).normal(size=(20, 16, 24))
    with RunFile(make_run(shape=(16, 24), fields={"stress": stress}, model=model)) as run:
        found = measure_fields([run])
    assert "distance_distribution" not in found.laws
    assert all(curve.name != "distance_distribution" for curve in found.curves)


def test_the_distances_of_the_weakest_sites():
    """Their mean, with an error that covers it, and a density whose integral is 1."""
    deviations = []
    for seed in range(20):
        distance = np.random.default_rng(seed).exponential(0.3, 2000)
        curve = measure_weakest([log_of(np.arange(2000) + 1.0, np.arange(2000) % SITES, distance)])
        width = curve.x[1] - curve.x[0]
        assert curve.value.sum() * width == pytest.approx(1)
        deviations.append((curve.parameters["mean"] - 0.3) / curve.parameters["mean_error"])
    assert 0.5 < np.std(deviations) < 1.6
