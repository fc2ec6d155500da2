import numpy as np
import pytest
from known_data import coverage, covers

from epmpi.analysis.renewal import predict
from epmpi.analysis.waiting_times import WaitingTimes
from epmpi.model.waiting import exact_bin_edges

EDGES = np.concatenate([np.arange(0.5, 10), np.unique(np.geomspace(10, 1e5, 80).round() + 0.5)])
STEP = 0.05


def count(waits, blocks=16, edges=EDGES):
    """Bin waits (in tau), in blocks."""
    steps = np.maximum(1, np.round(waits / STEP))
    parts = np.array_split(steps, blocks)
    return WaitingTimes(STEP * edges, np.array([np.histogram(part, edges)[0] for part in parts]))


def power_law(number, exponent, cutoff, seed):
    """Draw waits > 0.1 from t^-x exp(-t/c) by rejection from a t^-x within [0.1, 20 c]."""
    random = np.random.default_rng(seed)
    low, high = 0.1 ** (1 - exponent), (20 * cutoff) ** (1 - exponent)
    found = np.empty(0)
    while found.size < number:
        t = (low + random.uniform(size=4 * number) * (high - low)) ** (1 / (1 - exponent))
        found = np.append(found, t[random.uniform(size=t.size) < np.exp(-t / cutoff)])
    return found[:number]


def test_poisson_events():
    rate = 0.02
    waits = count(np.random.default_rng(1).exponential(1 / rate, 200_000))
    density = waits.density()
    likely = (waits.counts.sum(axis=0)[waits.counts.sum(axis=0) > 0] > 500) & (density.x > 5)
    truth = rate * np.exp(-rate * density.x)
    misfit = np.abs(density.value - truth)[likely]
    assert np.all(misfit < 4.5 * density.error[likely] + 0.02 * truth[likely])
    assert density.parameters["mean"] == pytest.approx(1 / rate, rel=0.02)
    fit = waits.fit(shortest=1.0)
    assert fit.parameter("exponent")[0] == pytest.approx(0, abs=0.02)
    assert fit.parameter("cutoff")[0] == pytest.approx(1 / rate, rel=0.03)
    persistence = waits.persistence()
    np.testing.assert_allclose(
        persistence.value[::5], np.exp(-rate * persistence.x[::5]), atol=0.01
    )
    scaled = density.scaled(0.5, 2.0)
    np.testing.assert_allclose(scaled.value, 2 * density.value)
    np.testing.assert_allclose(scaled.x, 0.5 * density.x)


def test_bins_of_exact_times():
    """The first one begins at 0, and no wait is moved to a step; against the closed forms."""
    rate, edges = 20.0, exact_bin_edges(1.0)
    waits = np.random.default_rng(7).exponential(1 / rate, 200_000)
    found = WaitingTimes(edges, np.histogram(waits, edges)[0][None])
    assert found.edges[0] == 0
    assert found.centres[0] == found.middles[0] == edges[1] / 2
    np.testing.assert_allclose(found.centres[1:] ** 2, edges[1:-1] * edges[2:])
    density = found.density()
    assert "of exact times" in density.definition
    assert "steps" not in density.definition
    chance = -np.diff(np.exp(-rate * edges))
    often = np.flatnonzero(waits.size * chance > 100)
    width = np.diff(edges)[often]
    misfit = density.value[: often.size] * width / chance[often] - 1
    assert often[0] == 0
    assert np.all(np.abs(misfit) < 4.5 / np.sqrt(waits.size * chance[often]))
    persistence = found.persistence()
    assert persistence.x[0] == 0
    assert persistence.value[0] == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(persistence.value, np.exp(-rate * persistence.x), atol=0.01)


def test_bins_of_whole_steps():
    found = count(np.random.default_rng(8).exponential(1.0, 1000))
    np.testing.assert_allclose(found.middles[:9], STEP * np.arange(1, 10), rtol=1e-12)
    assert "in bins of whole steps" in found.density().definition


def waits_within(duration, mean, sites, seed):
    """Count the waits of Poisson events at so many sites from 0 to `duration`, in 16 blocks."""
    random = np.random.default_rng(seed)
    events = np.cumsum(random.exponential(mean, (sites, int(8 * duration / mean))), axis=1)
    ends, waits = events[:, 1:], np.diff(events, axis=1)
    counts = [
        np.histogram(waits[(ends > start) & (ends <= start + duration / 16)] / STEP, EDGES)[0]
        for start in np.arange(16) * duration / 16
    ]
    return WaitingTimes(STEP * EDGES, np.array(counts), duration)


def test_a_short_run_does_not_shorten_the_waits():
    """A wait fits into a run of T = 5 mean waits with the chance 1 - tau/T, which is divided out.

    What is left is that waits longer than the run are not seen at all.
    """
    waits = waits_within(100.0, 20.0, 20_000, seed=6)
    value, _ = waits.mean()
    unseen = np.exp(-5)
    assert value == pytest.approx(20 * (1 - 6 * unseen) / (1 - unseen), rel=0.01)
    raw, _ = WaitingTimes(waits.edges, waits.counts).mean()
    assert raw == pytest.approx(20 * (3 + 7 * unseen) / (4 + unseen), rel=0.01)
    np.testing.assert_allclose(waits.fit(shortest=1.0).parameter("exponent")[0], 0, atol=0.02)


def test_a_power_law_with_a_cutoff():
    fit = count(power_law(400_000, 2 / 3, 100.0, seed=2)).fit(shortest=0.5)
    value, error = fit.parameter("exponent")
    assert value == pytest.approx(2 / 3, abs=max(4 * error, 0.01))
    assert fit.parameter("cutoff")[0] == pytest.approx(100, rel=0.05)


@pytest.mark.statistics
def test_the_error_bars_cover_the_truth():
    def mean(seed):
        return count(np.random.default_rng(seed).exponential(20, 1500)).mean()

    assert covers(coverage(mean, 20.0, range(200)), 200)

    def slope(seed):
        waits = np.random.default_rng(seed).exponential(20, 1500)
        _, curve, _, _ = predict(count(waits))
        return np.interp(0.05, curve.x, curve.value), np.interp(0.05, curve.x, curve.error)

    def exponent(seed):
        fit = count(power_law(20_000, 0.5, 30.0, seed)).fit(shortest=0.5)
        return fit.parameter("exponent")

    assert covers(coverage(exponent, 0.5, range(100)), 100)

    # psi = 1/(1 + s/rate) gives N = rate/s^2: the slope is -2 at every s; what the bins take from
    # it is well below this error.
    assert coverage(slope, -2.0, range(50)) > 0.4


def test_cumulative_frames_become_blocks():
    cumulative = np.cumsum(np.random.default_rng(3).integers(0, 9, (41, EDGES.size - 1)), axis=0)
    waits = WaitingTimes.from_cumulative(STEP * EDGES, cumulative)
    assert len(waits.counts) == 16
    np.testing.assert_array_equal(waits.counts.sum(axis=0), cumulative[-1] - cumulative[0])
    assert len(WaitingTimes.from_cumulative(STEP * EDGES, cumulative[:2]).counts) == 1


def test_the_laplace_transform_of_poisson_events():
    """The mean number of Poisson events is N(t) = rate t: N(s) = rate/s^2."""
    rate = 0.02
    waits = count(np.random.default_rng(4).exponential(1 / rate, 400_000))
    number, slope, jumps, _ = predict(waits)
    inside = number.x < 1
    np.testing.assert_allclose((number.value * number.x**2)[inside], rate, rtol=0.02)
    np.testing.assert_allclose(slope.value[inside], -2, atol=0.02)
    late = jumps.x > 10
    np.testing.assert_allclose((jumps.value / jumps.x)[late], rate, rtol=0.03)


def test_the_laplace_transform_of_levy_waiting_times():
    """The one-sided Levy law of index 1/2 has psi(s) = exp(-sqrt(2 c s)): slope -3/2 at small s."""
    c = 0.5
    normal = np.random.default_rng(5).normal(size=2_000_000)
    waits = c / normal**2
    longer = np.unique(np.geomspace(1e5, 1e13, 160).round() + 0.5)
    number, _, _, exponent = predict(count(waits, edges=np.append(EDGES[:-1], longer)))
    middle = (number.x > 0.01) & (number.x < 0.1)
    psi = np.exp(-np.sqrt(2 * c * number.x))
    truth = psi / (number.x * (1 - psi))
    np.testing.assert_allclose(number.value[middle], truth[middle], rtol=0.05)
    assert np.interp(50, exponent.x, exponent.value) == pytest.approx(0.5, abs=0.05)
