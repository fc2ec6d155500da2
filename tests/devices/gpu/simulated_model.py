"""The model on a simulated GPU against the CPU, step for step; run by `test_simulated.py`."""

import h5py
import numpy as np
import pytest
from simulated_gpu import simulated_gpu
from two_devices import CASES, assert_alike, models_of

from epmpi import model as models
from epmpi.config import from_mapping
from epmpi.devices import CPU
from epmpi.parallel import Communicator
from epmpi.simulation import Simulation
from epmpi.spectral.transport import NONE, STAGED
from epmpi.waiting import WaitingTimes

pytestmark = pytest.mark.mpi

STEPS = 4
SETTINGS = {
    "lattice": {"shape": [7, 10]},
    "model": {"temperature": 0.5},
    "tracers": {"number": 6},
    "time": {"step": 0.1, "warmup": 0.0, "duration": 1.2},
    "output": {
        "series_every": 0.2,
        "trajectory_every": 0.2,
        "fields_every": 0.4,
        "waiting_times_every": 0.4,
    },
    "run": {"device": "cpu", "seed": 4},
}


@pytest.mark.parametrize("case", CASES)
def test_follows_the_cpu(comm, case):
    tolerance = 2e-6 if case == "single" else 1e-12
    slow, fast = models_of(comm, simulated_gpu(), *CASES[case])
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


def test_a_run_goes_on_on_the_other_device_and_back(comm):
    slow, fast = models_of(comm, simulated_gpu(), "model.strain_rate=0.3")
    expected, _ = models_of(comm, simulated_gpu(), "model.strain_rate=0.3")
    for before, after in ((fast, slow), (slow, fast)):
        for _ in range(3):
            before.step()
            expected.step()
        after.restore(before.state())
        assert_alike(expected, after, 1e-12)


def test_a_checkpoint_goes_on_on_the_other_device_and_back(comm, shared_tmp_path, monkeypatch):
    devices = {"cpu": CPU(), "gpu": simulated_gpu()}
    monkeypatch.setattr(models, "place", lambda name, communicator: devices[name])
    communicator, run = Communicator(comm), shared_tmp_path / "run"
    configuration = from_mapping(SETTINGS)
    whole = Simulation(configuration, communicator).run(shared_tmp_path / "whole", progress=False)
    first = configuration.with_overrides(["run.device=cpu", "time.duration=0.4"])
    Simulation(first, communicator).run(run, progress=False)
    for device, duration in (("gpu", 0.8), ("cpu", 1.2)):
        changes = [f"run.device={device}", f"time.duration={duration}"]
        Simulation.resume(run, changes, communicator).run(progress=False)
    if comm.rank == 0:
        with h5py.File(whole / "run.h5") as one, h5py.File(run / "run.h5") as other:
            for name in ("observables/events", "fields/active", "histograms/waiting_times"):
                for part in ("step", "value"):
                    np.testing.assert_array_equal(one[name][part], other[name][part])
            assert one["observables/events/value"][-1] > 2
            for name in ("fields/stress", "particles/tracers/position"):
                np.testing.assert_allclose(one[name]["value"], other[name]["value"], atol=1e-12)
    comm.barrier()


def test_waiting_times_are_counted_alike(comm):
    counted = []
    for model in models_of(comm, simulated_gpu()):
        waits = WaitingTimes(model.slab.shape, 0)
        model.gather("waiting_times", waits)
        for _ in range(2 * STEPS):
            model.step()
        counted.append((waits.number, dict(waits.fields())["last_activation"]))
    np.testing.assert_array_equal(counted[1][0], counted[0][0])
    np.testing.assert_array_equal(counted[1][1], counted[0][1])


def test_a_number_that_is_lost_is_found(comm):
    _, fast = models_of(comm, simulated_gpu())
    fast.stress[0, 3] = np.nan
    assert fast.fault() == f"stress is nan at site [{fast.slab.start}, 3]"
