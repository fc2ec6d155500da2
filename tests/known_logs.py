"""Logs of events that tests make."""

import numpy as np

from epmpi.analysis.events import Events

SHAPE = (24, 18)
SITES = SHAPE[0] * SHAPE[1]


def log_of(start, site, distance=None):
    """Return a log of instantaneous events, shuffled: the order of rows must not matter."""
    order = np.random.default_rng(0).permutation(len(start))
    x, y = np.divmod(np.asarray(site)[order], SHAPE[1])
    start = np.asarray(start, float)[order]
    one = np.ones(len(start), np.int8)
    if distance is not None:
        distance = np.asarray(distance, np.float32)[order]
    return Events(start, 0.0 * start, x.astype(np.int32), y.astype(np.int32), one, distance)
