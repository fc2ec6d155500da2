"""The model on a simulated GPU against the CPU, step for step; run by `test_simulated.py`."""

import copy

import numpy as np
import pytest
from simulated_gpu import simulated_gpu
from two_devices import (
    CASES,
    assert_alike,
    assert_same_series,
    configuration_of,
    models_of,
    run_in_turns,
)

from epmpi.devices import CPU
from epmpi.model.model import Model
from epmpi.model.waiting import WaitingTimes
from epmpi.parallel import Communicator
from epmpi.run.planning import array_bytes
from epmpi.spectral.transport import NONE, STAGED

pytestmark = pytest.mark.mpi

STEPS = 4


@pytest.mark.parametrize("case", CASES)
def test_follows_the_cpu(comm, case):
    tolerance = 2e-6 if case == "single" else 1e-12
    device = simulated_gpu()
    slow, fast = models_of(comm, device, *CASES[case])
    assert fast.fft.transport == (NONE if comm.size == 1 else STAGED)
    assert_alike(slow, fast, tolerance)
    for _ in range(STEPS):
        slow.step()
        fast.step()
        assert_alike(slow, fast, tolerance)
    ours, theirs = fast.observables(), slow.observables()
    assert ours == pytest.approx(theirs, abs=tolerance)
    assert slow.state().counts["events"] > 2
    assert fast.fault() is None
    # Twice where tracers move every other step.
    recorded = 2 if "every 2" in case else 1
    assert len(device.recordings) == recorded
    assert sum(graph.launches for graph in device.recordings) == STEPS - recorded


@pytest.mark.parametrize("every", [1, 2])
def test_tracers_change_ranks_as_on_the_cpu(comm, every):
    """Those that leave in most moves, by many rows too; what has been recorded goes on."""
    strong = ["model.event_strain=10.0", f"tracers.every={every}", "tracers.number=30"]
    slow, fast = models_of(comm, simulated_gpu(), *strong, "lattice.shape=[8, 10]")
    ranks, changes = None, 0
    for _ in range(10):
        slow.step()
        fast.step()
        assert_alike(slow, fast, 1e-10)
        mine = set(fast.device.to_host(fast.tracers.identity).tolist())
        changes += ranks is not None and mine != ranks
        ranks = mine
    assert comm.size == 1 or comm.allreduce(changes) > 4


@pytest.mark.parametrize("height", [1, 2, 4])
@pytest.mark.parametrize("case", ["bilinear", "stream, either", "every 2, nearest"])
def test_tracers_move_block_by_block_as_on_the_cpu(comm, case, height):
    """Blocks lower and higher than the halo; the last one is what is left."""
    device = simulated_gpu()
    device.block_rows = lambda row_bytes: height
    slow, fast = models_of(comm, device, "tracers.number=40", *CASES[case])
    for _ in range(STEPS):
        slow.step()
        fast.step()
        assert_alike(slow, fast, 1e-12)
    assert sum(graph.launches for graph in device.recordings) > 0


@pytest.mark.parametrize("case", ["bilinear", "stream, either"])
def test_columns_travel_in_strips(comm, case, monkeypatch):
    """As where the carrier has a queue of its own: the same numbers, and still one recording."""
    monkeypatch.setattr("epmpi.spectral.transport.ByMPI.overlaps", True)
    monkeypatch.setattr("epmpi.spectral.between_cards.STRIP_MESSAGE", 1)
    device = simulated_gpu()
    slow, fast = models_of(comm, device, *CASES[case], "lattice.shape=[8, 15]")
    if comm.size > 1:
        assert fast.clock._response._source.strips == min(4, 8 // comm.size)
    for _ in range(STEPS):
        slow.step()
        fast.step()
    assert_alike(slow, fast, 1e-12)
    assert len(device.recordings) == 1


def test_a_run_goes_on_on_the_other_device_and_back(comm):
    slow, fast = models_of(comm, simulated_gpu(), "model.strain_rate=0.3")
    expected, _ = models_of(comm, simulated_gpu(), "model.strain_rate=0.3")
    for before, after in ((fast, slow), (slow, fast)):
        for _ in range(3):
            before.step()
            expected.step()
        after.restore(before.state())
        assert_alike(expected, after, 1e-12)


@pytest.mark.parametrize("turns", [["gpu", "cpu", "gpu"], ["cpu", "gpu", "cpu"]])
def test_checkpoints_go_from_device_to_device(comm, shared_tmp_path, monkeypatch, turns):
    devices = {"gpu": simulated_gpu(), "cpu": CPU()}
    monkeypatch.setattr("epmpi.run.simulation.place", lambda name, communicator: devices[name])
    communicator = Communicator(comm)
    found = run_in_turns(turns, shared_tmp_path / "turns", communicator)
    whole = run_in_turns(["cpu"] * len(turns), shared_tmp_path / "whole", communicator)
    assert_same_series(found, whole, 1e-11)


def test_an_annealing_is_not_recorded_and_what_follows_is(comm):
    """Nor does a record outlive what it was made of: a restored state, an accumulator more."""
    device = simulated_gpu()
    slow, fast = models_of(comm, device)
    counts = []
    for step in range(12):
        state = copy.deepcopy(slow.state())
        for model in (slow, fast):
            model.activation.set_temperature(0.5 - 0.01 * min(step, 3))
            if step == 6:
                model.restore(state)
            if step == 9:
                waits = WaitingTimes(model.slab.shape, 0, model.device)
                model.accumulate("waiting_times", waits)
            model.step()
        counts.append(len(device.recordings))
    assert_alike(slow, fast, 1e-12)
    assert counts == [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3]


def test_waiting_times_are_counted_alike(comm):
    counted = []
    device = simulated_gpu()
    for model in models_of(comm, device):
        waits = WaitingTimes(model.slab.shape, 0, model.device)
        model.accumulate("waiting_times", waits)
        for _ in range(2 * STEPS):
            model.step()
        counted.append((waits.number, dict(waits.fields())["last_activation"]))
    np.testing.assert_array_equal(counted[1][0], counted[0][0])
    np.testing.assert_array_equal(counted[1][1], counted[0][1])
    assert len(device.recordings) == 1


def test_a_number_that_is_lost_is_found(comm):
    _, fast = models_of(comm, simulated_gpu())
    fast.stress[0, 3] = np.nan
    assert fast.fault() == f"stress is nan at site [{fast.slab.start}, 3]"


@pytest.mark.parametrize("case", ["bilinear", "stream, either", "every 2, nearest", "single"])
def test_the_card_holds_what_is_planned(comm, case):
    device = simulated_gpu()
    overrides = ["lattice.shape=[60, 64]", "tracers.number=200", *CASES[case]]
    configuration = configuration_of(*overrides)
    model = Model(configuration, Communicator(comm), device)
    held = comm.allreduce(device._arrays.held_bytes(), max)
    device.work_bytes = lambda *arguments: 0  # plans of NumPy have none
    assert held == pytest.approx(array_bytes(configuration, comm.size, device), rel=0.15)
    assert model.lattice.sites == 60 * 64
