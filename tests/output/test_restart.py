"""A run that stops and is resumed, on any ranks, is bitwise the run that never stopped."""

import os
import signal
from contextlib import nullcontext

import h5py
import numpy as np
import pytest
from same_runs import differences
from stepped import call_at_steps

from epmpi.config import ConfigError, Configuration, from_mapping
from epmpi.model.state import StateError
from epmpi.output import segments
from epmpi.parallel import Communicator
from epmpi.run.simulation import Simulation
from epmpi.run.stopping import Decision, Pace


def configured(**changes) -> Configuration:
    sections = {
        "lattice": {"shape": [13, 10]},
        "model": {"temperature": 0.3},
        "tracers": {"number": 37},
        "time": {"step": 0.05, "warmup": 1.0, "duration": 4.0},
        "output": {
            "series_every": 0.2,
            "trajectory_every": 0.4,
            "fields_every": 0.6,
            "waiting_times_every": 1.0,
        },
    }
    for section, values in changes.items():
        sections[section] = {**sections.get(section, {}), **values}
    return from_mapping(sections)


@pytest.fixture
def stop_at(monkeypatch):
    """Return a function that makes runs stop after a step; None for never."""
    monkeypatch.setattr(os, "fsync", lambda file: None)  # no machine crashes in these tests

    def stop(step: int | None) -> None:
        def decide(self, now: int) -> Decision:
            stop = "test" if step is not None and now >= step else ""
            return Decision(stop, now % 17 == 0, now % 29 == 0, now + 1)

        monkeypatch.setattr(Pace, "decide", decide)

    return stop


@pytest.fixture
def communicator(comm) -> Communicator:
    return Communicator(comm)


def fewer(comm, ranks: int) -> Communicator | None:
    """Return the first ranks of a communicator as one of its own, None on the others."""
    part = Communicator(comm.Split(0 if comm.rank < ranks else 1, comm.rank))
    return part if comm.rank < ranks else None


def whole_and_stopped(directory, communicator, stop_at, step):
    """Return a run that went on to its end, and one that was stopped after a step."""
    whole, stopped = directory / "whole", directory / "stopped"
    for run, last in ((whole, None), (stopped, step)):
        stop_at(last)
        Simulation(configured(), communicator).run(run, progress=False)
    stop_at(None)
    return whole, stopped


@pytest.mark.mpi
@pytest.mark.parametrize(
    ("changes", "copied"),
    [
        ({}, 0),
        ({"tracers": {"every": 4}}, 10**9),
        ({"tracers": {"number": 0}, "output": {"trajectory_every": 0.0}}, 0),
        ({"model": {"activation": "random", "activity": 0.2}, "run": {"precision": "single"}}, 1e9),
    ],
    ids=["segments", "every 4 steps", "no tracers", "random"],
)
def test_restart_is_bitwise_on_any_ranks(
    shared_tmp_path, comm, communicator, stop_at, monkeypatch, changes, copied
):
    monkeypatch.setattr(segments, "COPIED", copied)
    configuration = configured(**changes)
    whole, parted = shared_tmp_path / "whole", shared_tmp_path / "parted"
    stop_at(None)
    Simulation(configuration, communicator).run(whole, progress=False)
    stop_at(9)  # in the warm-up
    first = Simulation(configuration, communicator)
    first.run(parted, progress=False)
    assert first.stopped == "test"
    for step, ranks in ((50, max(1, comm.size - 1)), (None, comm.size)):
        stop_at(step)
        if (part := fewer(comm, ranks)) is not None:
            Simulation.resume(parted, communicator=part).run(progress=False)
        comm.Barrier()
    if comm.rank == 0:
        assert differences(whole, parted) == []
        assert not (parted / "run.lock").exists()


@pytest.mark.mpi
def test_what_came_after_the_checkpoint_is_cut_off(
    shared_tmp_path, communicator, stop_at, monkeypatch
):
    """A run that dies at any step continues from the last checkpoint; here by an exception."""
    monkeypatch.setattr(segments, "COPIED", 0)
    configuration = configured()
    whole, broken = shared_tmp_path / "whole", shared_tmp_path / "broken"
    stop_at(None)
    Simulation(configuration, communicator).run(whole, progress=False)
    for step in (33, 69, 98):
        dying = (
            Simulation.resume(broken, communicator=communicator)
            if step > 33
            else Simulation(configuration, communicator)
        )

        def die(model=dying.model, last=step):
            if model.step_count == last:
                raise ZeroDivisionError

        call_at_steps(dying.model, before=die)
        with pytest.raises(ZeroDivisionError):
            dying.run(broken if step == 33 else None, progress=False)
        communicator.barrier()
    Simulation.resume(broken, communicator=communicator).run(progress=False)
    if communicator.is_root:
        assert differences(whole, broken) == []
        assert sorted(path.name for path in broken.iterdir()) == [
            "checkpoint.h5", "checkpoint.previous.h5", "run.h5", "segments",
        ]  # fmt: skip
    communicator.barrier()


@pytest.mark.mpi
def test_finished_run_is_extended(shared_tmp_path, communicator):
    whole, parted = shared_tmp_path / "whole", shared_tmp_path / "parted"
    Simulation(configured(), communicator).run(whole, progress=False)
    short = configured(time={"duration": 2.0})
    Simulation(short, communicator).run(parted, progress=False)
    longer = Simulation.resume(parted, ["time.duration=4.0"], communicator)
    assert longer.model.step_count == 60
    longer.run(progress=False)
    if communicator.is_root:
        assert differences(whole, parted) == []
        with h5py.File(parted / "run.h5") as file:
            assert b"duration = 4.0" in file["parameters"].attrs["configuration"]
            assert file["parameters/time"].attrs["duration"] == 4.0
    communicator.barrier()


@pytest.mark.mpi
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_signal_to_one_rank_stops_all_with_a_checkpoint(shared_tmp_path, communicator, number):
    run = shared_tmp_path / "run"
    stopping = Simulation(configured(time={"duration": 1000.0}), communicator)

    def send():
        if stopping.model.step_count == 30 and communicator.rank == communicator.size - 1:
            os.kill(os.getpid(), number)

    call_at_steps(stopping.model, after=send)
    before = signal.getsignal(number)
    interrupted = pytest.raises(KeyboardInterrupt, match="with a checkpoint in")
    with interrupted if number == signal.SIGINT else nullcontext():
        stopping.run(run, progress=False)
    assert signal.getsignal(number) == before
    assert stopping.stopped == number.name
    assert 30 <= stopping.model.step_count < 20000
    resumed = Simulation.resume(run, communicator=communicator)
    assert resumed.model.step_count == stopping.model.step_count
    assert np.array_equal(resumed.model.stress, stopping.model.stress)


@pytest.mark.mpi
def test_stop_before_the_time_limit(shared_tmp_path, communicator):
    configuration = configured(time={"duration": 5000.0}, run={"walltime": 1.5})
    simulation = Simulation(configuration, communicator)
    simulation.run(shared_tmp_path / "run", progress=False)
    assert simulation.stopped == "time limit"
    with h5py.File(shared_tmp_path / "run" / "run.h5") as file:
        assert file["parameters"].attrs["stopped"] == b"time limit"
        assert file["parameters"].attrs["wall_time"] < 1.5


@pytest.mark.mpi
def test_not_a_number_is_found_before_it_is_written(shared_tmp_path, communicator):
    run = shared_tmp_path / "run"
    simulation = Simulation(configured(), communicator)
    model = simulation.model

    def spoil():
        if model.step_count == 31 and model.slab.start <= 6 < model.slab.stop:
            model.stress[6 - model.slab.start, 4] = np.nan

    call_at_steps(model, after=spoil)
    message = r"stress is nan at site \[\d+, \d+\] at step 32 \(time 1.6 .*of step 0 is good"
    with pytest.raises(StateError, match=message):
        simulation.run(run, progress=False)
    communicator.barrier()
    with h5py.File(run / "run.h5") as file:
        assert file["observables/activity/step"][-1] == 8
        assert np.isfinite(file["observables/stress_mean/value"][()]).all()
    assert Simulation.resume(run, communicator=communicator).model.step_count == 0


@pytest.mark.mpi
def test_waiting_times_survive(shared_tmp_path, communicator, stop_at):
    whole, parted = whole_and_stopped(shared_tmp_path, communicator, stop_at, 71)
    if communicator.is_root:
        with h5py.File(parted / "checkpoint.h5") as file:
            before = file["counts/waiting_times/number"][()].sum()
            assert (file["fields/waiting_times/last_activation"][()] >= 0).any()
    Simulation.resume(parted, communicator=communicator).run(progress=False)
    if communicator.is_root:
        assert differences(whole, parted) == []
        with h5py.File(parted / "run.h5") as file:
            assert file["histograms/waiting_times/value"][-1].sum() > before > 0
    communicator.barrier()


@pytest.mark.mpi
def test_previous_checkpoint_is_offered_and_works(shared_tmp_path, communicator, stop_at):
    whole, run = whole_and_stopped(shared_tmp_path, communicator, stop_at, 50)
    if communicator.is_root:
        (run / "checkpoint.h5").write_bytes(b"not HDF5")
    communicator.barrier()
    with pytest.raises(ConfigError, match=r"cannot be used.*resume with --previous") as caught:
        Simulation.resume(run, communicator=communicator)
    assert "\n" not in str(caught.value)
    resumed = Simulation.resume(run, communicator=communicator, previous=True)
    assert resumed.model.step_count == 34
    resumed.run(progress=False)
    if communicator.is_root:
        assert differences(whole, run) == []
    communicator.barrier()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("blocks", None, "it lacks root/steady_state/blocks"),
        ("blocks", lambda stored: stored[:, :1], r"blocks has shape \(192, 1\) .* \(192, 2\)"),
        ("blocks", lambda stored: stored[0], r"blocks has shape \(2,\)"),
        ("blocks", np.float32, "blocks has .* type float32, expected .* float64"),
        ("blocks", lambda stored: stored[:-1], "the checksum of root/steady_state/blocks"),
        ("count", lambda stored: stored + 1, "the checksum of root/steady_state/count"),
    ],
    ids=["missing", "narrow", "flat", "single", "short", "changed"],
)
@pytest.mark.mpi
def test_what_the_root_has_is_checked(
    shared_tmp_path, communicator, stop_at, name, change, message
):
    run = shared_tmp_path / "run"
    stop_at(9)  # in the warm-up
    Simulation(configured(time={"warmup": "auto"}), communicator).run(run, progress=False)
    if communicator.is_root:
        with h5py.File(run / "checkpoint.h5", "r+") as file:
            group = file["root/steady_state"]
            stored = group[name][()]
            del group[name]
            if change is not None:
                group[name] = change(stored)
    communicator.barrier()
    with pytest.raises(ConfigError, match=message) as caught:
        Simulation.resume(run, communicator=communicator)
    assert "\n" not in str(caught.value)
    communicator.barrier()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.temperature=0.2", "model.temperature = 0.2: the run has 0.3, .* only"),
        ("time.duration=0.5", "time.duration = 0.5: the run has measured for 1 already"),
        ("time.duration=", "not a TOML value"),
    ],
)
def test_what_a_resumed_run_may_not_change(tmp_path, stop_at, override, message):
    stop_at(40)
    Simulation(configured()).run(tmp_path / "run", progress=False)
    with pytest.raises(ConfigError, match=message) as caught:
        Simulation.resume(tmp_path / "run", [override])
    assert "\n" not in str(caught.value)
    assert Simulation.resume(tmp_path / "run").model.step_count == 40  # the lock is free


@pytest.mark.mpi
def test_checkpoint_is_an_initial_state(shared_tmp_path, communicator, stop_at):
    stop_at(43)
    first = Simulation(configured(output={"fields_every": 0.0}), communicator)
    first.run(shared_tmp_path / "first", progress=False)
    for path in (shared_tmp_path / "first", shared_tmp_path / "first" / "checkpoint.h5"):
        second = Simulation(configured(initial={"state": str(path)}), communicator)
        assert np.array_equal(second.model.stress, first.model.stress)
        assert np.array_equal(second.model.active, first.model.active)
    other = configured(lattice={"shape": [12, 10]}, initial={"state": str(path)})
    with pytest.raises(ConfigError, match=r"a lattice of \(13, 10\), expected \(12, 10\)"):
        Simulation(other, communicator)
