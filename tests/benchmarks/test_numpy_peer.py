"""The yardstick in NumPy takes the same steps as the model, where no draw matters."""

import numpy as np

from benchmarks.numpy_peer import NumpyModel
from epmpi import Model, from_mapping


def test_stress_and_tracers_follow_the_same_event():
    length, step = 16, 0.05
    mapping = {
        "lattice": {"shape": [length, length]},
        "model": {"temperature": 1e-4},  # nothing is activated, and an event goes on for some steps
        "tracers": {"number": 20, "every": 1},
        "time": {"step": step, "warmup": 0.0},
        "output": {"trajectory_every": 0.0},
    }
    model, peer = Model(from_mapping(mapping)), NumpyModel(length, 1e-4, step, 20)
    model.active[3, 5] = peer.active[3, 5] = 1
    model.update_response()
    peer.position[:] = start = model.tracers.position.T
    start = start.copy()
    model.step()
    peer.step()
    assert np.abs(model.stress).max() > 0.01
    assert np.allclose(peer.stress, model.stress, atol=1e-14)
    # The yardstick's path is Euler's: it differs by the second order of the displacement.
    moved = np.abs(peer.position - start).max()
    assert moved > 1e-4
    assert np.allclose(peer.position.T, model.tracers.position, rtol=0, atol=moved**2)
