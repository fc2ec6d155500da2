"""The yardstick in C++ takes the steps of the model."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import oracle
import pytest

from benchmarks.peer import SOURCE, Peer
from benchmarks.step import Yardstick
from epmpi import Model, from_mapping
from epmpi.config import ModelSettings

LENGTH, TEMPERATURE, STEP, TRACERS = 64, 0.3, 0.05, 50


def test_the_source_is_beside_the_benchmarks():
    assert SOURCE.parent == Path(__file__).parents[2] / "benchmarks"
    assert "usage: %s L T dt steps warm tracers fields threads" in SOURCE.read_text()


@pytest.fixture(scope="module")
def peer():
    headers = ["g++", "-x", "c++", "-E", "-include", "fftw3.h", os.devnull, "-o", os.devnull]
    if shutil.which("g++") is None or subprocess.run(headers, capture_output=True).returncode:
        pytest.skip("needs g++ and FFTW")
    return Peer()


def state(peer, folder, steps):
    """Return stress, active and positions after these steps."""
    file = folder / f"{steps}"
    peer.run(LENGTH, TEMPERATURE, STEP, steps, 0, TRACERS, 1, 1, file)
    stress, active, position = np.split(np.fromfile(file), [LENGTH**2, 2 * LENGTH**2])
    shape = LENGTH, LENGTH
    return stress.reshape(shape), active.reshape(shape), position.reshape(-1, 2)


def stepped(active, stress):
    """Return the stress after one step of the model, of sites that yield as given."""
    mapping = {
        "lattice": {"shape": [LENGTH, LENGTH]},
        "model": {"temperature": TEMPERATURE},
        "tracers": {"number": 0},
        "time": {"step": STEP, "warmup": 0.0},
    }
    model = Model(from_mapping(mapping))
    model.active[:], model.stress[:] = active, stress
    model.update_response()
    model.step()
    return model.stress


@pytest.mark.ci
def test_stress_and_tracers_are_those_of_the_model(peer, tmp_path):
    """Its tracers move by Euler's rule, with the velocity where they are."""
    stress, active, position = state(peer, tmp_path, 200)
    after, direction_after, position_after = state(peer, tmp_path, 201)
    assert np.count_nonzero(active) > 100
    assert np.allclose(stepped(active, stress), after, rtol=0, atol=1e-13)
    model = ModelSettings()
    increment = STEP * model.event_strain / (2 * model.relaxation_time) * direction_after
    moved = oracle.bilinear(increment, position % LENGTH)
    assert np.abs(moved).max() > 1e-4
    assert np.allclose(moved, position_after - position, rtol=0, atol=1e-12)


@pytest.mark.ci
def test_sites_yield_and_relax_at_the_rates_of_eq_2(peer, tmp_path):
    begun = ended = expected_begun = expected_ended = 0.0
    _, before, _ = state(peer, tmp_path, 100)
    for steps in range(101, 116):
        stress, after, _ = state(peer, tmp_path, steps)
        rate = np.exp(np.minimum((stress**2 - 1) / (2 * TEMPERATURE), 0))
        begun += np.count_nonzero((before == 0) & (after != 0))
        ended += np.count_nonzero((before != 0) & (after == 0))
        expected_begun += STEP * rate[before == 0].sum()
        expected_ended += STEP * np.count_nonzero(before)
        starts = (before == 0) & (after != 0)
        assert np.array_equal(after[starts], np.sign(stress[starts]))
        before = after
    assert expected_begun > 400
    assert abs(begun - expected_begun) < 5 * expected_begun**0.5
    assert abs(ended - expected_ended) < 5 * expected_ended**0.5


@pytest.mark.ci
def test_seconds_and_activity_are_read(peer):
    yardstick: Yardstick = peer
    seconds, activity = yardstick.step_seconds(LENGTH, TEMPERATURE, STEP, 50, 200, TRACERS)
    assert seconds > 0
    assert 0.02 < activity < 0.5
