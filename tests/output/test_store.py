"""The store: what is written on any number of ranks is what a plain reader finds in run.h5."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from epmpi.config import ConfigError, Configuration, from_mapping
from epmpi.output import RunStore, chunks, collective, open_run, segments
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice

parallel = pytest.mark.skipif(not collective.available(), reason="needs an h5py built for MPI")
SHAPE = (13, 7)  # uneven slabs
TRACERS = 29
PARAMETERS = {"git_revision": "0123abc", "ranks": 4, "seed": 1}


@pytest.fixture
def communicator(comm):
    return Communicator(comm)


@pytest.fixture
def configuration() -> Configuration:
    return from_mapping(
        {
            "lattice": {"shape": SHAPE},
            "tracers": {"number": TRACERS},
            "time": {"step": 0.5, "warmup": 0.0},
            "output": {"series_every": 1.0},
        }
    )


def opened(
    path: Path, configuration: Configuration, communicator: Communicator, shape=SHAPE
) -> RunStore:
    return open_run(path, configuration, communicator, Lattice(shape), PARAMETERS)


def field(frame: int, shape=SHAPE) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float64).reshape(shape) + 1000.0 * frame


def positions(frame: int) -> np.ndarray:
    return np.random.default_rng(frame).normal(size=(TRACERS, 2))


def write(store: RunStore, frames: range) -> None:
    """Write frames in which tracers wander between ranks, at times 0.5 * step."""
    rank, ranks = store.communicator.rank, store.communicator.size
    rows = slice(store.slab.start, store.slab.stop)
    for frame in frames:
        values = {"activity": 0.1 * frame, "events": 7 * frame}
        store.series(frame, 0.5 * frame, values)
        owner = np.random.default_rng(100 + frame).integers(ranks, size=TRACERS)
        mine = np.flatnonzero(owner == rank)[::-1]
        store.trajectory(frame, 0.5 * frame, mine, positions(frame)[mine])
        stress = field(frame)[rows]
        active = np.sign(stress - 1000.0 * frame - 40.0).astype(np.int8)
        store.fields(frame, 0.5 * frame, {"stress": stress, "active": active})


def check(path: Path, frames: range) -> None:
    """Compare everything that run.h5 holds with what `write` has written."""
    steps, times = np.array(frames, dtype=np.int64), 0.5 * np.array(frames)
    expected = {
        "observables/activity": 0.1 * steps,
        "observables/events": 7 * steps,
        "fields/stress": np.array([field(frame) for frame in frames]),
        "fields/active": np.array([np.sign(field(0) - 40.0) for _ in frames]),
        "particles/tracers/position": np.array(
            [np.pad(positions(frame), ((0, 0), (0, 1))) for frame in frames]
        ),
        "particles/tracers/box/edges": np.array([[*SHAPE, 1.0] for _ in frames]),
    }
    with h5py.File(path / "run.h5", "r") as file:
        for name, values in expected.items():
            group = file[name]
            assert np.array_equal(group["step"][()], steps), name
            assert np.array_equal(group["time"][()], times), name
            assert np.array_equal(group["value"][()], values), name
            assert group["step"].dtype == np.int64
        assert file["observables/events/value"].dtype == np.int64
        assert file["fields/active/value"].dtype == np.int8


@pytest.mark.mpi
def test_frames_come_back_as_written(shared_tmp_path, configuration, communicator):
    run = shared_tmp_path / "deep" / "run"
    with opened(run, configuration, communicator) as store:
        write(store, range(5))
        store.describe({"wall_time": 1.5})
    check(run, range(5))
    communicator.barrier()  # the root has released its lock
    assert sorted(file.name for file in run.iterdir()) == ["run.h5"]


@pytest.mark.mpi
@pytest.mark.parametrize("copied", [0, 10**9], ids=["segments", "one file"])
def test_publications_are_seen_at_once_as_one_file(
    shared_tmp_path, configuration, communicator, monkeypatch, copied
):
    monkeypatch.setattr(segments, "COPIED", copied)
    run = shared_tmp_path / "run"
    with opened(run, configuration, communicator) as store:
        for last in (2, 3, 7):
            write(store, range(store._last_step.get("fields", -1) + 1, last))
            store.publish()
            if communicator.is_root:
                check(run, range(last))
            store.publish()  # nothing new: nothing happens
        write(store, range(7, 8))
    check(run, range(8))
    communicator.barrier()
    if communicator.is_root:
        names = [file.name for file in sorted(run.glob("segments/*"))]
        assert names == ([f"{n:06d}.h5" for n in range(5)] if copied == 0 else [])
        moved = run.rename(shared_tmp_path / "moved")
        check(moved, range(8))
    communicator.barrier()


@pytest.mark.mpi
def test_existing_directory_is_refused_alike_and_untouched(
    shared_tmp_path, configuration, communicator
):
    run = shared_tmp_path / "run"
    if communicator.is_root:
        run.mkdir()
        (run / "run.h5").write_text("precious")
    communicator.barrier()
    with pytest.raises(ConfigError, match=r"output directory .* exists.*choose another") as caught:
        opened(run, configuration, communicator)
    assert "\n" not in str(caught.value)
    assert [file.name for file in run.iterdir()] == ["run.h5"]
    assert (run / "run.h5").read_text() == "precious"


@pytest.mark.mpi
def test_directory_below_a_file_is_refused_in_one_line(
    shared_tmp_path, configuration, communicator
):
    if communicator.is_root:
        (shared_tmp_path / "file").write_text("")
    communicator.barrier()
    with pytest.raises(ConfigError, match=r"cannot make the output directory .*: Not a directory"):
        opened(shared_tmp_path / "file" / "run", configuration, communicator)


@pytest.mark.mpi
def test_parameters_are_kept(shared_tmp_path, configuration, communicator):
    run = shared_tmp_path / "run"
    with opened(run, configuration, communicator) as store:
        write(store, range(1))
        store.describe({"wall_time": 1.5, "finished": "2020-01-01T00:00:00+00:00"})
    with h5py.File(run / "run.h5", "r") as file:
        parameters = file["parameters"]
        assert parameters.attrs["configuration"].decode() == configuration.to_toml()
        assert tuple(parameters["lattice"].attrs["shape"]) == SHAPE
        assert parameters["model"].attrs["temperature"] == configuration.model.temperature
        assert parameters.attrs["git_revision"] == b"0123abc"
        assert parameters.attrs["wall_time"] == 1.5
        assert list(file["h5md"].attrs["version"]) == [1, 1]
        assert file["h5md/creator"].attrs["name"] == b"epmpi"


@pytest.mark.mpi
def test_warmup_is_kept_apart(shared_tmp_path, configuration, communicator):
    run = shared_tmp_path / "run"
    with opened(run, configuration, communicator) as store:
        for step in range(3):
            store.series(step, 0.5 * step, {"activity": 1.0 * step}, warmup=True)
        store.series(0, 0.0, {"activity": 9.0})
    with h5py.File(run / "run.h5", "r") as file:
        assert list(file["warmup/observables/activity/value"]) == [0.0, 1.0, 2.0]
        assert list(file["observables/activity/value"]) == [9.0]


@pytest.mark.mpi
@pytest.mark.parametrize("writer", ["stream", pytest.param("parallel", marks=parallel)])
def test_frames_before_an_exception_are_kept(shared_tmp_path, configuration, communicator, writer):
    configuration = replace(configuration, output=replace(configuration.output, writer=writer))
    run = shared_tmp_path / "run"
    with (
        pytest.raises(ZeroDivisionError),
        opened(run, configuration, communicator) as store,
    ):
        write(store, range(3))
        store.publish()
        write(store, range(3, 5))
        raise ZeroDivisionError
    communicator.barrier()
    # The root closes its own file; one that all ranks have open cannot be closed without them.
    check(run, range(5 if writer == "stream" else 3))


@pytest.mark.mpi
def test_a_step_never_comes_twice(shared_tmp_path, configuration, communicator):
    with opened(shared_tmp_path / "run", configuration, communicator) as store:
        write(store, range(2))
        with pytest.raises(ValueError, match="fields at step 1 after step 1"):
            store.fields(1, 0.5, {})


@pytest.mark.mpi
def test_large_frames_are_written_in_blocks(
    shared_tmp_path, configuration, communicator, monkeypatch
):
    monkeypatch.setattr(chunks, "CHUNK_CACHE", 100)
    monkeypatch.setattr(chunks, "LARGEST_CHUNK", 3 * SHAPE[1] * 8)  # three rows; four tracers or so
    run = shared_tmp_path / "run"
    with opened(run, configuration, communicator) as store:
        write(store, range(4))
    check(run, range(4))
    with h5py.File(run / "run.h5", "r") as file:
        assert file["fields/stress/value"].chunks == (1, 3, SHAPE[1])
        assert file["particles/tracers/position/value"].chunks == (1, 7, 3)


@pytest.mark.mpi
def test_lost_tracer_is_noticed(shared_tmp_path, configuration, comm):
    alone = Communicator(comm.Split(comm.rank, 0))
    run = shared_tmp_path / f"run{comm.rank}"
    there = np.delete(np.arange(TRACERS), 5)
    with (
        pytest.raises(ValueError, match="do not own each of the tracers 0 to 28 once"),
        opened(run, configuration, alone) as store,
    ):
        store.trajectory(0, 0.0, there, positions(0)[there])
    with h5py.File(run / "run.h5", "r") as file:  # the frame was not complete
        assert len(file["particles/tracers/position/value"]) == 0
        assert "particles/tracers/box/edges" not in file
