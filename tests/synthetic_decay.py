"""S(q,t) with a known collapse, for the tests of fits."""

import numpy as np

from epmpi.analysis.regimes import Window
from epmpi.analysis.structure_factor import StructureFactor

ALPHA, N, GAMMA = 0.07, 1.125, 1.8
EVER = Window("I", 0, np.inf)


def synthetic(seed, noise, origins=16, tracers=10**6, together=True):
    """S/S(0) = exp(-alpha (q^n t)^gamma), with relative noise of -ln S from origin to origin."""
    random = np.random.default_rng(seed)
    q, lag = np.geomspace(0.2, 3.0, 6), np.geomspace(0.1, 3.0, 8)
    exponent = ALPHA * (q[:, None] ** N * lag) ** GAMMA
    # One factor per origin for all q: neighbouring points of a real S move together.
    drawn = (1 if together else q.size, origins)
    by_origin = [
        np.exp(-column[:, None] * np.exp(noise * random.normal(size=drawn)))
        for column in exponent.T
    ]
    value = np.stack([values.mean(axis=1) for values in by_origin], axis=1)
    error = np.stack([values.std(axis=1) / np.sqrt(origins) for values in by_origin], axis=1)
    blocks = np.full(value.shape, origins)
    return StructureFactor(
        q, [], lag, value, error, blocks, blocks[0], blocks > 0, tracers, by_origin
    )
