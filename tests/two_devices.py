"""The same model on two devices, and what their states must have in common."""

import h5py
import numpy as np

from epmpi.config import Configuration
from epmpi.devices import CPU
from epmpi.model.model import Model
from epmpi.parallel import Communicator
from epmpi.run.simulation import Simulation

CASES = {
    "bilinear": ["model.strain_rate=0.4"],
    "stream, either": ["tracers.interpolation=stream", "model.direction=either"],
    "every 2, nearest": ["tracers.every=2", "tracers.interpolation=nearest"],
    "gaussian, both": ["initial.state=gaussian", "initial.stress_deviation=0.4"],
    "random, no tracers": ["model.activation=random", "model.activity=0.3", "tracers.number=0"],
    "saddle node, lattice": [
        "model.barrier=1.5", "propagator.symbol=lattice", "propagator.macroscopic=stress",
    ],
    "single": ["run.precision=single"],
}  # fmt: skip


def models_of(comm, device, *overrides):
    """Return a small model on the CPU and on another device."""
    configuration = configuration_of(*overrides)
    return [Model(configuration, Communicator(comm), where) for where in (CPU(), device)]


def configuration_of(*overrides):
    """Return the configuration of a small lattice with a lot going on."""
    base = ["lattice.shape=[7, 10]", "model.temperature=0.5", "tracers.number=6", "time.step=0.1"]
    base += ["output.trajectory_every=0", "run.seed=4", "tracers.every=1"]
    return Configuration().with_overrides([*base, *overrides])


def assert_alike(slow, fast, tolerance):
    """Compare the whole states of two models."""
    ours, theirs = fast.state(), slow.state()
    assert ours.counts["events"] == theirs.counts["events"]
    np.testing.assert_array_equal(ours.fields["active"], theirs.fields["active"])
    for name, field in theirs.fields.items():
        assert type(ours.fields[name]) is np.ndarray
        assert ours.fields[name].dtype == field.dtype
        np.testing.assert_allclose(ours.fields[name], field, rtol=0, atol=tolerance)
    order, others = np.argsort(ours.identity), np.argsort(theirs.identity)
    np.testing.assert_array_equal(ours.identity[order], theirs.identity[others])
    found, expected = ours.position[order], theirs.position[others]
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def run_in_turns(turns, directory, communicator):
    """Run to the end in parts of 2 tau, each from the last checkpoint on the device of its turn.

    Returns
    -------
    dict
        Series and last fields of the run file.
    """
    overrides = ["time.warmup=1.0", "time.duration=2.0", "output.series_every=0.5"]
    overrides += ["output.trajectory_every=0.5", "output.fields_every=1.0"]
    overrides += ["output.waiting_times_every=1.0", f"run.device={turns[0]}"]
    first = configuration_of(*overrides)
    Simulation(first, communicator).run(directory, progress=False)
    for part, turn in enumerate(turns[1:], 2):
        changes = [f"time.duration={2.0 * part}", f"run.device={turn}"]
        resumed = Simulation.resume(directory, changes, communicator)
        assert resumed.model.device.name == turn
        resumed.run(progress=False)
    communicator.barrier()
    with h5py.File(directory / "run.h5") as file:
        found = {name: group["value"][()] for name, group in file["observables"].items()}
        for name in ("histograms/waiting_times", "fields/active", "fields/stress"):
            found[name] = file[name]["value"][()]
        found["positions"] = file["particles/tracers/position/value"][()]
        found["steps"] = file["observables/activity/step"][()]
    return found


def assert_same_series(found, expected, tolerance):
    """Compare what two runs have written."""
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        if values.dtype.kind in "biu":
            np.testing.assert_array_equal(found[name], values)
        else:
            np.testing.assert_allclose(found[name], values, rtol=0, atol=tolerance)
    assert expected["events"][-1] > 5
