"""Bursts below a threshold, and the share of the time in bursts, of logs that are known."""

import heapq
from itertools import pairwise

import numpy as np
import pytest
from known_logs import SHAPE, SITES, log_of
from scipy import special, stats

from epmpi.analysis.avalanches import measure_threshold_avalanches, whole_edges
from epmpi.analysis.bursts import below_threshold, between_pauses, measure_share

DEEPEST = 0.45  # below it the process of random neighbours is followed


def random_neighbours(events, seed):
    """Return distances of the mean-field Bak-Sneppen process of infinitely many sites.

    The weakest site and one other, at random, get new distances, even in [0, 1].
    """
    random, weak, found = np.random.default_rng(seed), [], []
    for pair in random.random((events, 2)):
        found.append(heapq.heappop(weak) if weak else random.uniform(DEEPEST, 0.5))
        for one in pair:
            if one < DEEPEST:
                heapq.heappush(weak, one)
    return np.array(found)


def progeny(size, x0):
    """Return P(S) of a branching process with two children, each with the chance x0.

    Otter and Dwass: ``C(2 S, S - 1) x0^(S - 1) (1 - x0)^(S + 1) / S``.
    """
    size = np.asarray(size, float)
    log_ways = special.gammaln(2 * size + 1) - special.gammaln(size) - special.gammaln(size + 2)
    return np.exp(log_ways + (size - 1) * np.log(x0) + (size + 1) * np.log1p(-x0)) / size


def log_with(distance, site=None):
    """Return a log of an event in each unit of time."""
    site = np.arange(len(distance)) % SITES if site is None else site
    return log_of(np.arange(len(distance)) + 1.0, site, distance)


def test_an_event_beyond_the_threshold_begins_a_burst():
    distance = [0.1, 0.7, 0.2, -3.0, 0.6, 0.5, 0.1, 0.2, 0.3, 0.9, 0.1]
    found = below_threshold(log_with(distance, [1, 1, 2, 2, 3, 4, 5, 4, 6, 7, 8]), SHAPE, 0.5)
    np.testing.assert_array_equal(found.size, [3, 1, 4])  # without what comes before 0.7, after 0.9
    np.testing.assert_array_equal(found.sites, [2, 1, 3])
    np.testing.assert_array_equal(found.duration, [2, 0, 3])
    mean = below_threshold(log_with(np.random.default_rng(1).random(50000)), SHAPE, 0.8).size.mean()
    assert mean == pytest.approx(1 / 0.2, rel=0.05)
    with pytest.raises(ValueError, match="no distances"):
        below_threshold(log_of([1.0, 2.0], [1, 2]), SHAPE, 0.5)


@pytest.mark.parametrize("x0", [0.25, 0.4, 0.44])
def test_random_neighbours_have_the_sizes_of_a_branching_process(x0):
    """Bin by bin, and the mean 1 / (1 - 2 x0); all errors are those of the product."""
    logs = [log_with(random_neighbours(100000, seed)) for seed in range(8)]
    found = measure_threshold_avalanches(logs, SHAPE, x0, "threshold_10")
    curve = found.distribution()
    assert curve.name == "threshold_10_sizes"
    assert curve.parameters["threshold"] == x0
    edges = whole_edges(int(found.bursts.size.max()))
    expected = np.array(
        [
            progeny(np.arange(low + 0.5, high), x0).sum() / (high - low)
            for low, high in pairwise(edges)
        ]
    )
    seen = np.isin(np.sqrt(edges[1:] * edges[:-1]), curve.x)
    many = curve.value * np.diff(edges)[seen] * len(found) > 50
    deviation = ((curve.value - expected[seen]) / curve.error)[many]
    assert many.sum() >= 6
    assert np.all(np.abs(deviation) < 5)
    assert np.sqrt(np.mean(deviation**2)) < 2
    assert found.bursts.size.mean() == pytest.approx(1 / (1 - 2 * x0), rel=0.1)


def test_near_the_critical_threshold_the_exponent_is_three_halves():
    """X0 -> 1/2: P(S) ~ S^-3/2 up to a cutoff, 1 / -ln(4 x0 (1 - x0))."""
    logs = [log_with(random_neighbours(200000, seed)) for seed in range(8)]
    found = measure_threshold_avalanches(logs, SHAPE, 0.44, "threshold_10")
    law = found.fit(5.0)
    exponent, error = law.parameter("exponent")
    assert 0 < error < 0.1
    assert abs(exponent - 1.5) < 4 * error + 0.02
    cutoff, error = law.parameter("cutoff")
    assert abs(cutoff + 1 / np.log(4 * 0.44 * 0.56)) < 4 * error


def test_excursions_of_a_random_walk():
    """A walk that stays at 0 or below: bursts from 0 to the next 0 are its first returns."""
    steps = np.random.default_rng(3).choice([-1, 1], 400000)
    place, walk = 0, np.empty(len(steps))
    for n, step in enumerate(steps):
        walk[n], place = place, (place + step if place < 0 else -1)
    size = below_threshold(log_with(walk), SHAPE, 0.0).size
    for half in range(1, 8):
        chance = special.binom(2 * half, half) / (2 * half - 1) / 4.0**half
        number = stats.binom(len(size), chance)
        assert abs((size == 2 * half).sum() - number.mean()) < 5 * number.std()
    assert not (size % 2).any()


def test_the_share_of_independent_events():
    """1 - (1 + r g) exp(-r g) for events at a constant rate r and a gap g; errors cover it."""
    rate, gap, deviations = 0.2, 10.0, []
    for seed in range(40):
        start = np.cumsum(np.random.default_rng(seed).exponential(1 / rate, 2000))
        curve = measure_share([log_of(start, np.zeros(2000, int))], gap)
        expected = 1 - (1 + rate * curve.x) * np.exp(-rate * curve.x)
        seen = (expected > 0.05) & (expected < 0.95)
        assert np.all(np.abs(curve.value - expected)[seen] < 5 * curve.error[seen])
        share, error = curve.parameters["share"], curve.parameters["share_error"]
        deviations.append((share - (1 - 3 * np.exp(-2))) / error)
        assert abs(curve.parameters["rate"] - rate) < 5 * curve.parameters["rate_error"]
    assert 0.7 < np.std(deviations) < 1.4
    assert curve.parameters["gap"] == gap
    assert curve.value[-1] == 1.0


def test_the_share_of_replicas_has_the_error_of_their_spread():
    logs = []
    for seed in range(6):
        start = np.cumsum(np.random.default_rng(seed).exponential(5.0, 3000))
        logs.append(log_of(start, np.zeros(3000, int)))
    curve = measure_share(logs, 10.0)
    assert (
        abs(curve.parameters["share"] - (1 - 3 * np.exp(-2))) < 5 * curve.parameters["share_error"]
    )


def test_a_window_without_events():
    """All events in the first and the last hundredth of a run: blocks without one, no nan."""
    start = np.append(np.linspace(1, 10, 60), np.linspace(990, 1000, 60))
    curve = measure_share([log_of(start, np.arange(120) % SITES)], 1.0)
    assert np.isfinite(curve.value).all()
    assert np.isfinite(curve.error).all()
    assert curve.parameters["share"] == pytest.approx(19 / 999)
    found = between_pauses(log_of(start, np.arange(120) % SITES), SHAPE, 1.0)
    assert len(found.size) == 0  # two bursts, both at the ends
