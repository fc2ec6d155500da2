"""The start of the random model; the Gaussian stress is tested with the model."""

import numpy as np
import pytest

from epmpi.config import from_mapping
from epmpi.devices import CPU
from epmpi.model.initial import stationary_direction
from epmpi.physics.lattice import Lattice, Slab


@pytest.mark.statistics
def test_stationary_start_has_the_activity_and_both_directions():
    configuration = from_mapping({"model": {"activation": "random", "activity": 0.3}})
    slab = Slab(Lattice((200, 200)), 0, 200)
    direction = stationary_direction(configuration, slab, CPU())
    assert direction.dtype == np.int8
    assert set(np.unique(direction)) == {-1, 0, 1}
    sites = direction.size
    active = direction != 0
    assert abs(active.mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / sites)
    assert abs(direction[active].mean()) < 4 / np.sqrt(active.sum())
    part = stationary_direction(configuration, Slab(Lattice((200, 200)), 17, 30), CPU())
    np.testing.assert_array_equal(part, direction[17:30])
