import numpy as np
import pytest
from known_data import coverage, covers

from epmpi.analysis.blocks import without_one
from epmpi.analysis.curve import Curve
from epmpi.analysis.distribution import density_with_error
from epmpi.paper.windows import power_of

X = np.geomspace(0.01, 10, 30)


def in_blocks(values):
    """Return the curve of values by block, shape (blocks, points)."""
    left_out = without_one(values) / (len(values) - 1)
    mean, error = values.mean(axis=0), values.std(axis=0, ddof=1) / len(values) ** 0.5
    return Curve("p", "", "u", X, mean, error, left_out=left_out)


def test_a_power_law():
    curve = in_blocks(X**-3 * (1 + 0.05 * np.random.default_rng(1).normal(size=(16, 30))))
    value, error = power_of(curve, 0.1, 5)
    assert abs(value + 3) < 4 * error < 0.2
    assert np.isnan(power_of(curve, 20, 30)[0])
    assert power_of(curve.scaled(3.0, 0.2), 0.3, 15) == pytest.approx((value, error))


@pytest.mark.statistics
def test_its_error_covers_the_truth_where_bins_move_together():
    """Counts of x^-2 between 1 and 100 in 16 blocks, each stretched as a whole by 5 % or so."""
    edges = np.geomspace(0.5, 200, 60)

    def exponent(seed):
        random = np.random.default_rng(seed)
        stretch = np.exp(0.05 * random.normal(size=(16, 1)))
        drawn = stretch / random.uniform(0.01, 1, size=(16, 2000))
        counts = np.array([np.histogram(block, edges)[0] for block in drawn])
        density, error, left_out = density_with_error(counts, edges, counts.sum(axis=1))
        centre = (edges[1:] * edges[:-1]) ** 0.5
        return power_of(Curve("p", "", "u", centre, density, error, left_out=left_out), 2, 50)

    assert covers(coverage(exponent, -2.0, range(300)), 300)
