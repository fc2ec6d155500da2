"""Logs of events that tests make."""

import numpy as np

from epmpi.analysis.events import Events

SHAPE = (24, 18)
SITES = SHAPE[0] * SHAPE[1]
DURATION = 4000.0  # of the logs that are drawn here


def log_of(start, site, distance=None):
    """Return a log of instantaneous events, shuffled: the order of rows must not matter."""
    order = np.random.default_rng(0).permutation(len(start))
    x, y = np.divmod(np.asarray(site)[order], SHAPE[1])
    start = np.asarray(start, float)[order]
    one = np.ones(len(start), np.int8)
    if distance is not None:
        distance = np.asarray(distance, np.float32)[order]
    return Events(start, 0.0 * start, x.astype(np.int32), y.astype(np.int32), one, distance)


def independent(seed, rate=0.05):
    """Return a log of sites that yield at a constant rate each."""
    random = np.random.default_rng(seed)
    number = random.poisson(rate * SITES * DURATION)
    return log_of(random.uniform(0, DURATION, number), random.integers(0, SITES, number))


def rows_together(seed, rate=0.05):
    """Return a log in which all sites of a row x always yield together."""
    random = np.random.default_rng(seed)
    number = random.poisson(rate * SHAPE[0] * DURATION)
    start = np.repeat(random.uniform(0, DURATION, number), SHAPE[1])
    row = random.integers(0, SHAPE[0], number)
    return log_of(start, (row[:, None] * SHAPE[1] + np.arange(SHAPE[1])).reshape(-1))
