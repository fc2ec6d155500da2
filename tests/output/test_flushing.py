"""File systems that cannot flush a directory, or have no locks: a run continues there."""

import errno
import fcntl
import os
import stat

import h5py
import pytest

from epmpi.config import from_mapping
from epmpi.output import OutputError, flushing
from epmpi.output.failures import reason, writing
from epmpi.run.simulation import Simulation

SETTINGS = {
    "lattice": {"shape": [16, 12]},
    "tracers": {"number": 10},
    "time": {"warmup": 0.0, "duration": 1.0},
}


@pytest.fixture
def refusing(monkeypatch):
    """Return a function that makes fsync refuse directories, or files too."""

    def refuse(number, *, files=False):
        flush = os.fsync

        def fsync(descriptor):
            if files or stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise OSError(number, os.strerror(number))
            flush(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)

    flushing._tell.cache_clear()
    yield refuse
    flushing._tell.cache_clear()


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_run_goes_on_without_flushed_directories(tmp_path, refusing, capsys, number):
    refusing(number)
    run = Simulation(from_mapping(SETTINGS)).run(tmp_path / "run", progress=False)
    assert (run / "checkpoint.h5").exists()
    assert capsys.readouterr().err.count("cannot flush a directory") == 1  # said once


@pytest.mark.parametrize(
    ("number", "files"), [(errno.EIO, False), (errno.ENOSPC, False), (errno.EINVAL, True)]
)
def test_it_does_not_where_data_may_be_lost(tmp_path, refusing, number, files):
    refusing(number, files=files)
    with pytest.raises(OutputError, match=os.strerror(number)):
        Simulation(from_mapping(SETTINGS)).run(tmp_path / "run", progress=False)


def test_what_a_run_writes_needs_no_locks(tmp_path):
    """HDF5 asks for a lock, and fails where there is none, as here with one of another process."""
    path = tmp_path / "file.h5"
    h5py.File(path, "w").close()
    with open(path, "rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="lock"):
            h5py.File(path, "r+", locking=True)
        with writing(path, "r+") as file:
            file["value"] = 1


def test_without_locks_the_remedy_is_named():
    error = OSError("unable to lock file, errno = 37, error message = 'No locks available'")
    assert reason(error).endswith("set HDF5_USE_FILE_LOCKING=FALSE")
