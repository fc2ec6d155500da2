"""A write that fails: one clear line on all ranks, and the published run.h5 intact."""

import resource
import signal

import h5py
import numpy as np
import pytest

from epmpi.config import from_mapping
from epmpi.output import OutputError, open_run
from epmpi.output.failures import output_errors, reason
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice

SIDE = 512  # 2 MiB a field


@pytest.fixture
def limit_file_size():
    """Return a function that makes the files of this process fail beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def limit(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))

    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.mpi
@pytest.mark.parametrize("size", [0, 5000, 3 * 2**20])
def test_failed_write_is_reported_alike_and_spares_what_was_published(
    shared_tmp_path, comm, limit_file_size, size
):
    communicator = Communicator(comm)
    configuration = from_mapping({"lattice": {"shape": [SIDE, SIDE]}, "tracers": {"number": 64}})
    run = shared_tmp_path / "run"
    with (
        pytest.raises(OutputError, match=r"cannot write .*run\.h5.*: File too large; ") as caught,
        open_run(run, configuration, communicator, Lattice((SIDE, SIDE)), {}) as store,
    ):
        stress = np.ones(store.slab.shape)
        store.fields(0, 0.0, {"stress": stress})
        store.publish()
        limit_file_size(size)
        for step in range(1, 4):
            store.fields(step, 1.0 * step, {"stress": stress})
            store.publish()
    assert "\n" not in str(caught.value)
    limit_file_size(resource.RLIM_INFINITY)
    communicator.barrier()
    with h5py.File(run / "run.h5", "r") as file:
        assert list(file["fields/stress/step"]) == [0]
        assert np.all(file["fields/stress/value"][()] == 1.0)
    assert [file.name for file in run.iterdir()] == ["run.h5"]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(28, "No space left on device"), "No space left on device; free some space"),
        (RuntimeError("x\n(errno = 28, error message = 'no')"), "No space left on device; free"),
        (OSError(9, "Bad file descriptor"), "Bad file descriptor"),
        (OSError("two\nlines"), "two lines"),
    ],
)
def test_reasons(error, line):
    assert reason(error).startswith(line)


def test_output_errors(tmp_path):
    with (
        pytest.raises(OutputError, match=r"cannot write .*/nowhere/file: No such file"),
        output_errors(tmp_path / "nowhere" / "file"),
    ):
        (tmp_path / "nowhere" / "file").write_text("")
