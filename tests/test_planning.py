"""Estimated and actual needs of a run."""

import os
import tracemalloc

import h5py
import pytest

from epmpi.config import from_mapping
from epmpi.devices import CPU
from epmpi.model.model import Model
from epmpi.parallel import Communicator
from epmpi.run.planning import array_bytes, file_bytes, needed_bytes, plan
from epmpi.run.simulation import Simulation
from epmpi.run.stopping import Pace
from epmpi.spectral import exchange, shares_memory, transport
from epmpi.spectral.shared_memory import shared_memory


def settings(**changes):
    table = {
        "lattice": {"shape": [320, 240]},
        "tracers": {"number": 1000},
        "time": {"step": 0.05, "warmup": 1.0, "duration": 2.0},
        "output": {"trajectory_every": 0.5, "fields_every": 0.5, "series_every": 0.5},
    }
    for section, keys in changes.items():
        table.setdefault(section, {}).update(keys)
    return from_mapping(table)


CONFIGURATIONS = [
    {},
    {"run": {"precision": "single"}},
    {"time": {"clock": "exact"}},
    {"time": {"clock": "exact"}, "tracers": {"interpolation": "stream"}},
    {"tracers": {"interpolation": "stream"}},
    {"tracers": {"every": 10}},
    {"tracers": {"number": 0}, "output": {"trajectory_every": 0.0}},
]


def held_by_a_model(configuration, communicator):
    """Return the largest bytes that a model allocates on a rank, without mapped memory."""
    Model(configuration, communicator)  # what is made once per process
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    model = Model(configuration, communicator)
    held = communicator.max(tracemalloc.get_traced_memory()[0] - before)
    tracemalloc.stop()
    assert model.lattice.shape == configuration.lattice.shape
    return held


@pytest.mark.mpi
@pytest.mark.parametrize("changes", CONFIGURATIONS)
def test_array_bytes_are_what_a_model_holds(comm, monkeypatch, changes):
    """The case without shared memory, which takes most."""
    monkeypatch.setattr(transport, "shared_memory", lambda communicator, sizes: None)
    configuration = settings(**changes)
    communicator = Communicator(comm)
    held = held_by_a_model(configuration, communicator)
    assert held == pytest.approx(array_bytes(configuration, communicator.size), rel=0.15)


@pytest.mark.mpi
@pytest.mark.parametrize("changes", CONFIGURATIONS)
def test_memory_that_ranks_share_is_counted_once(comm, monkeypatch, changes):
    """The parts of the ranks together are what all of them hold.

    On a lattice that is large beside the plans of its transforms.
    """
    large, communicator = {"lattice": {"shape": [960, 720]}}, Communicator(comm)
    configuration = settings(**changes | large)
    if not shares_memory(communicator, CPU()) and communicator.size > 1:
        pytest.skip("the ranks share no memory here")
    parts = []

    def counted(communicator, sizes):
        parts.append(sizes[communicator.rank])
        return shared_memory(communicator, sizes)

    monkeypatch.setattr(exchange, "shared_memory", counted)
    held = held_by_a_model(configuration, communicator) + communicator.max(sum(parts) // 2)
    needed = needed_bytes(configuration, communicator, CPU())
    assert held == pytest.approx(needed, rel=0.15)
    alone = array_bytes(configuration, communicator.size)
    assert needed < alone if communicator.size > 1 else needed == alone


def test_file_bytes_are_those_of_the_run_file(tmp_path):
    configuration = settings()
    Simulation(configuration, Communicator.world()).run(tmp_path / "out", progress=False)
    size = os.path.getsize(tmp_path / "out" / "run.h5")
    expected = file_bytes(configuration)
    assert expected < size < expected + 2_000_000  # chunks that are not full, and the header


@pytest.mark.parametrize("clock", ["steps", "exact"])
def test_every_series_and_bin_is_counted(tmp_path, clock):
    """By what is in the file, value by value."""
    without = settings(
        time={"clock": clock}, tracers={"number": 0},
        output={"series_every": 0.0, "trajectory_every": 0.0, "fields_every": 0.0},
    )  # fmt: skip
    configuration = without.with_overrides(
        ["output.series_every=0.5", "output.waiting_times_every=1.0"]
    )
    run = Simulation(configuration, Communicator.world()).run(tmp_path / "out", progress=False)
    with h5py.File(run / "run.h5") as file:
        groups = [file["observables"], file["warmup/observables"], file["histograms"]]
        elements = [
            one for group in groups for one in group.values() if isinstance(one, h5py.Group)
        ]
        values = sum(one["value"].nbytes for one in elements)
    assert file_bytes(configuration) - file_bytes(without) == pytest.approx(values, rel=0.02)


def test_plan_times_the_first_steps():
    needs = plan(settings(), Communicator.world(), CPU())
    assert needs.steps == 60
    assert 0 < needs.seconds_per_step < 1
    assert needs.seconds == needs.steps * needs.seconds_per_step


class LateDevice(CPU):
    """A device that does its queued work when it is waited for: a hundredth of a second a step."""

    def __init__(self, clock):
        self.clock, self.asked = clock, 0

    def advance_sites(self, *arguments):
        super().advance_sites(*arguments)
        self.asked += 1

    def row_loops(self, lines):
        return None

    def synchronize(self):
        self.clock[0] += 0.01 * self.asked
        self.asked = 0


def test_a_trial_counts_the_time_of_the_device(monkeypatch):
    """Not that in which it is asked for steps."""
    clock = [0.0]
    device = LateDevice(clock)
    monkeypatch.setattr("epmpi.run.planning.time.perf_counter", lambda: clock[0])
    needed = plan(settings(lattice={"shape": [32, 40]}), Communicator.world(), device)
    assert needed.seconds_per_step == pytest.approx(0.01)


def test_a_run_waits_for_the_device_before_it_looks_at_the_clock(monkeypatch, tmp_path):
    clock = [0.0]
    device = LateDevice(clock)
    unwaited = []
    decide = Pace.decide

    def decided(pace, step):
        unwaited.append(device.asked)
        return decide(pace, step)

    monkeypatch.setattr(Pace, "decide", decided)
    simulation = Simulation(settings(lattice={"shape": [32, 40]}), device=device)
    simulation.run(tmp_path / "RUN", progress=False)
    assert unwaited
    assert not any(unwaited)
    assert device.asked == 0
