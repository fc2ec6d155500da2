"""Avalanches of logs that were made of bursts of known sizes."""

from itertools import pairwise

import numpy as np
from known_logs import SHAPE, SITES, log_of
from scipy import stats

from epmpi.analysis.avalanches import measure_avalanches, whole_edges
from epmpi.analysis.bursts import between_pauses

GAP = 5.0


def made_of(sizes, seed, sites_apart=True):
    """Return a log of bursts: their events 1 apart, at sites 0, 1, ...; pauses longer than GAP."""
    random, start, site, now = np.random.default_rng(seed), [], [], 0.0
    for size in sizes:
        now += GAP + random.exponential(50.0)
        start += list(now + np.arange(size))
        site += list(np.arange(size) % SITES if sites_apart else np.zeros(size, int))
        now += size
    return log_of(np.array(start) + 1.0, site)


def test_bursts_are_found_without_the_first_and_the_last():
    sizes = [3, 1, 4, 600, 2, 5]
    log = made_of(sizes, 1)
    size, sites, duration, pause = between_pauses(log, SHAPE, GAP)
    np.testing.assert_array_equal(size, sizes[1:-1])
    np.testing.assert_array_equal(sites, [1, 4, SITES, 2])
    np.testing.assert_allclose(duration, np.array(sizes[1:-1]) - 1, atol=1e-9)
    waits = np.diff(np.sort(log.start))
    np.testing.assert_allclose(pause, waits[waits > 1.5][: len(size)])
    found = between_pauses(made_of(sizes, 1, sites_apart=False), SHAPE, GAP)
    np.testing.assert_array_equal(found.sites, 1)
    assert len(between_pauses(made_of([2, 3], 1), SHAPE, GAP).size) == 0


def test_sizes_by_a_power_law():
    """P(S) ~ S^-1.5 cut at 400: the distribution and its exponent, with their errors."""
    whole = np.arange(1, 401)
    weight = whole**-1.5
    logs = []
    for seed in range(6):
        sizes = np.random.default_rng(seed).choice(whole, 6000, p=weight / weight.sum())
        logs.append(made_of(sizes, seed))
    found = measure_avalanches(logs, SHAPE, GAP)
    curve = found.distribution()
    edges = whole_edges(int(found.bursts.size.max()))
    expected = np.array(
        [
            (weight[(whole > low) & (whole < high)] / weight.sum()).sum() / (high - low)
            for low, high in pairwise(edges)
        ]
    )
    seen = np.isin(np.sqrt(edges[1:] * edges[:-1]), curve.x)
    assert np.all(np.abs(curve.value - expected[seen]) < 5 * curve.error)
    assert curve.parameters["number"] == 6 * 5998
    law = found.fit(5.0)
    exponent, error = law.parameter("exponent")
    assert 0 < error < 0.06
    assert abs(exponent - 1.5) < 4 * error + 0.03


def test_size_against_duration_and_distinct_sites():
    sizes = np.random.default_rng(2).integers(1, 40, 3000)
    found = measure_avalanches([made_of(sizes, 3)], SHAPE, GAP)
    curve = found.size_of_duration()
    np.testing.assert_allclose(curve.value, curve.x + 1, rtol=1e-9)  # events 1 apart
    curve = found.sites_of_size()
    np.testing.assert_allclose(curve.value, curve.x)
    one_site = measure_avalanches([made_of(sizes, 3, sites_apart=False)], SHAPE, GAP)
    np.testing.assert_allclose(one_site.sites_of_size().value, 1)


def test_moments_and_pauses_with_their_errors():
    """Geometric sizes: <S> = 1/p, <S^2>/<S> = (2 - p)/p; pauses of GAP and an exponential wait."""
    truth, deviations = {"mean": 4.0, "cutoff": 7.0, "pause": GAP + 50.0 + 1.0}, []
    for seed in range(30):
        sizes = np.random.default_rng(seed).geometric(0.25, 600)
        found = measure_avalanches([made_of(sizes, seed)], SHAPE, GAP).distribution().parameters
        deviations.append(
            [(found[name] - value) / found[f"{name}_error"] for name, value in truth.items()]
        )
    assert np.all(np.abs(np.mean(deviations, axis=0)) < 0.7)
    assert np.all((np.std(deviations, axis=0) > 0.5) & (np.std(deviations, axis=0) < 1.7))


def test_errors_of_the_mean_size_cover_the_truth():
    """In bins of the size of the distinct sites: a fair error of a mean."""
    deviations = []
    for seed in range(20):
        random = np.random.default_rng(seed)
        found = measure_avalanches([made_of(random.geometric(0.3, 800), seed)], SHAPE, GAP)
        curve = found.distribution()
        deviations.append((curve.value[0] - 0.3) / curve.error[0])
    assert 0.5 < np.std(deviations) < 1.7
    assert stats.ttest_1samp(deviations, 0).pvalue > 1e-3


def test_avalanches_of_one_event_have_no_curve_of_durations():
    found = measure_avalanches([made_of([1] * 40, 1)], SHAPE, GAP)
    assert found.size_of_duration() is None
    np.testing.assert_array_equal(found.distribution().value, 1.0)


def test_few_bursts_are_none():
    assert measure_avalanches([made_of([1, 2, 3, 4], 1)], SHAPE, GAP) is None


def test_edges_lie_between_whole_numbers():
    np.testing.assert_array_equal(whole_edges(1), [0.5, 1.5])
    edges = whole_edges(1000)
    assert edges[0] == 0.5
    assert edges[-1] == 1000.5
    assert np.all(np.diff(edges) >= 1)
