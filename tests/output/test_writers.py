"""The two writers leave the same file; one continues the file of the other."""

import os

import h5py
import numpy as np
import pytest
from same_runs import differences

from epmpi.config import ConfigError, from_mapping
from epmpi.output import chunks, collective, open_run
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice
from epmpi.run.simulation import Simulation

parallel = pytest.mark.skipif(not collective.available(), reason="needs an h5py built for MPI")
SECTIONS = {
    "lattice": {"shape": [13, 10]},
    "model": {"temperature": 0.3},
    "tracers": {"number": 37},
    "time": {"warmup": 1.0, "duration": 3.0},
    "output": {"series_every": 0.5, "trajectory_every": 0.5, "fields_every": 1.0},
}


def configured(writer: str, **output):
    return from_mapping({**SECTIONS, "output": {**SECTIONS["output"], "writer": writer, **output}})


def layout(path):
    """Return type, shape, chunks, filters and attributes of everything but the parameters."""
    found = {}
    with h5py.File(path, "r") as file:

        def keep(name, item):
            if name.startswith(("parameters", "header")):  # they name the writer
                return
            attributes = {
                key: str(value) for key, value in item.attrs.items() if "_LIST" not in key
            }  # the lists of scales are addresses
            kind = (
                item.shape, item.maxshape, item.dtype, item.chunks, item.compression_opts,
                item.fletcher32,
            ) if isinstance(item, h5py.Dataset) else ()  # fmt: skip
            found[name] = (kind, attributes)

        file.visititems(keep)
    return found


def test_an_h5py_for_mpi_is_there_where_it_must_be():
    assert collective.available() or not os.environ.get("EPMPI_PARALLEL_HDF5")


@pytest.mark.mpi
@parallel
@pytest.mark.parametrize("compression", [0, 4])
def test_both_writers_leave_the_same_file(shared_tmp_path, comm, compression):
    communicator = Communicator(comm)
    for writer in ("stream", "parallel"):
        configuration = configured(writer, compression=compression)
        run = Simulation(configuration, communicator).run(shared_tmp_path / writer, progress=False)
        assert run == shared_tmp_path / writer
    if communicator.is_root:
        one, other = shared_tmp_path / "stream", shared_tmp_path / "parallel"
        assert differences(one, other) == []
        assert layout(one / "run.h5") == layout(other / "run.h5")
        assert layout(one / "checkpoint.h5") == layout(other / "checkpoint.h5")
    communicator.barrier()


@pytest.mark.mpi
@parallel
@pytest.mark.parametrize("compression", [0, 4])
def test_both_writers_leave_the_same_log_of_events(shared_tmp_path, comm, compression):
    communicator = Communicator(comm)
    exact = ["time.clock=exact", "time.duration=20.0", "output.events=true"]
    for writer in ("stream", "parallel"):
        configuration = configured(writer, compression=compression).with_overrides(exact)
        Simulation(configuration, communicator).run(shared_tmp_path / writer, progress=False)
    if communicator.is_root:
        one, other = shared_tmp_path / "stream", shared_tmp_path / "parallel"
        assert differences(one, other) == []
        assert layout(one / "run.h5") == layout(other / "run.h5")
        with h5py.File(other / "run.h5") as file:
            assert len(file["events/start"]) > 10
    communicator.barrier()


@pytest.mark.mpi
@parallel
def test_both_writers_leave_the_same_frames_of_many_chunks(shared_tmp_path, comm, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK_CACHE", 100)
    monkeypatch.setattr(chunks, "LARGEST_CHUNK", 240)  # three rows, ten tracers
    communicator = Communicator(comm)
    for writer in ("stream", "parallel"):
        Simulation(configured(writer), communicator).run(shared_tmp_path / writer, progress=False)
    if communicator.is_root:
        one, other = shared_tmp_path / "stream", shared_tmp_path / "parallel"
        assert differences(one, other) == []
        assert layout(one / "run.h5") == layout(other / "run.h5")
        with h5py.File(other / "run.h5") as file:
            assert file["fields/stress/value"].chunks == (1, 3, 10)
            assert not file["fields/stress/value"].fletcher32
    communicator.barrier()


@pytest.mark.mpi
@parallel
def test_large_chunks_of_the_parallel_writer_begin_at_a_mebibyte(shared_tmp_path, comm):
    communicator, shape = Communicator(comm), (1100, 1024)  # 8.6 MiB: three chunks a frame
    configuration = from_mapping({"lattice": {"shape": shape}, "output": {"writer": "parallel"}})
    run = shared_tmp_path / "run"
    with open_run(run, configuration, communicator, Lattice(shape), {}) as store:
        rows = np.arange(store.slab.start, store.slab.stop)[:, None] + np.zeros(shape[1])
        for step in range(2):
            store.fields(step, 1.0 * step, {"stress": rows + step})
    with h5py.File(run / "run.h5") as file:
        values = file["fields/stress/value"]
        offsets = [values.id.get_chunk_info(n).byte_offset for n in range(6)]
        assert values.id.get_num_chunks() == 6
        assert [offset % collective.ALIGNED for offset in offsets] == [0] * 6
        assert np.array_equal(values[1, :, 0], np.arange(1100) + 1.0)


@pytest.mark.mpi
@parallel
def test_one_writer_goes_on_from_the_other(shared_tmp_path, comm):
    communicator = Communicator(comm)
    Simulation(configured("stream"), communicator).run(shared_tmp_path / "whole", progress=False)
    short = configured("stream").with_overrides(["time.duration=1.0"])
    run = shared_tmp_path / "run"
    Simulation(short, communicator).run(run, progress=False)
    for writer, duration in (("parallel", 2.0), ("stream", 2.5), ("parallel", 3.0)):
        overrides = [f"output.writer={writer}", f"time.duration={duration}"]
        Simulation.resume(run, overrides, communicator).run(progress=False)
    if communicator.is_root:
        assert differences(shared_tmp_path / "whole", run) == []
    communicator.barrier()


@pytest.mark.mpi
@pytest.mark.parametrize("compression", [1, 9])
def test_compression(shared_tmp_path, comm, compression):
    communicator = Communicator(comm)
    plain, packed = configured("stream"), configured("stream", compression=compression)
    for name, configuration in (("plain", plain), ("packed", packed)):
        Simulation(configuration, communicator).run(shared_tmp_path / name, progress=False)
    if communicator.is_root:
        assert differences(shared_tmp_path / "plain", shared_tmp_path / "packed") == []
        with h5py.File(shared_tmp_path / "packed" / "run.h5") as file:
            assert file["fields/stress/value"].compression_opts == compression
            assert file["observables/activity/value"].compression is None
    communicator.barrier()


@pytest.mark.mpi
def test_parallel_writer_that_is_not_there(shared_tmp_path, comm, monkeypatch):
    monkeypatch.setattr(collective, "available", lambda: False)
    with pytest.raises(ConfigError, match=r"output.writer = .parallel.: this h5py was not built"):
        Simulation(configured("parallel"), Communicator(comm)).run(shared_tmp_path / "run")
    assert not (shared_tmp_path / "run").exists()
