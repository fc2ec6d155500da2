"""A run whose directory belongs to another by now changes nothing there, whatever it does next."""

import shutil

import numpy as np
import pytest

from epmpi.config import Configuration, from_mapping
from epmpi.model.state import State
from epmpi.output import OutputError, RunStore, open_run, segments
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice

SHAPE = (12, 10)


@pytest.fixture
def communicator(comm) -> Communicator:
    return Communicator(comm)


def opened(path, communicator) -> RunStore:
    return open_run(path, configuration(), communicator, Lattice(SHAPE), {})


def configuration() -> Configuration:
    return from_mapping(
        {
            "lattice": {"shape": SHAPE},
            "tracers": {"number": 0},
            "output": {"trajectory_every": 0.0},
        }
    )


def write(store: RunStore, step: int) -> None:
    store.fields(step, 1.0 * step, {"stress": np.full(store.slab.shape, 1.0 * step)})


def save(store: RunStore) -> None:
    fields = {"stress": np.zeros(store.slab.shape)}
    store.checkpoint(State(3, fields, {}, np.arange(0), np.empty((0, 2))), {})


def leave(store: RunStore) -> None:
    store.__exit__(None, None, None)


def write_and_publish(store: RunStore) -> None:
    write(store, 5)
    store.publish()


def contents(run) -> dict[str, bytes]:
    """Return the contents of a directory, except the sign of life in its lock."""
    return {
        str(path): b"" if path.name == "run.lock" else path.read_bytes()
        for path in run.rglob("*")
        if path.is_file()
    }


@pytest.mark.mpi
@pytest.mark.parametrize("copied", [0, 10**9], ids=["segments", "one file"])
@pytest.mark.parametrize("do", [write_and_publish, RunStore.publish, save, leave])
@pytest.mark.parametrize("how", ["moved", "removed", "its lock taken"])
def test_the_new_run_stays_as_it_is(shared_tmp_path, communicator, monkeypatch, how, do, copied):
    monkeypatch.setattr(segments, "COPIED", copied)
    run, before = shared_tmp_path / "run", {}
    old = opened(run, communicator)
    write(old, 1)
    old.publish()
    write(old, 2)
    communicator.barrier()
    if communicator.is_root:
        if how == "moved":
            run.rename(shared_tmp_path / "away")
        elif how == "removed":
            shutil.rmtree(run)
        else:
            (run / "run.lock").unlink()
            (run / "run.lock").write_text("another's")
            (run / "run.h5.partial").unlink()
            (run / "run.h5.partial").write_text("another's")
    communicator.barrier()
    new = None if how == "its lock taken" else opened(run, communicator)
    if new is not None:
        write(new, 1)
        save(new)
        write(new, 2)  # its partial file is there
    communicator.barrier()
    if communicator.is_root:
        before = contents(run)
    with pytest.raises(OutputError, match=r"this run ends, and has changed nothing") as caught:
        do(old)
    assert "\n" not in str(caught.value)
    old.__exit__(OutputError, caught.value, None)
    if communicator.is_root:
        assert contents(run) == before
    communicator.barrier()
    if new is not None:
        save(new)
        leave(new)
        communicator.barrier()
        assert not (run / "run.lock").exists()


@pytest.mark.mpi
def test_who_is_slow_asks_again_before_it_renames(shared_tmp_path, communicator, monkeypatch):
    """Between the begin of a publication and its end the directory is replaced."""
    run = shared_tmp_path / "run"
    old, flush = opened(run, communicator), segments.flush_to_disk

    def slow(path) -> None:
        flush(path)
        if path.name.endswith(".partial") and run.exists():
            run.rename(shared_tmp_path / "away")
            run.mkdir()
            (run / "run.h5").write_text("of another")

    monkeypatch.setattr(segments, "flush_to_disk", slow)
    monkeypatch.setattr("epmpi.output.checkpoint.flush_to_disk", slow)
    for do in (write_and_publish, save):
        with pytest.raises(OutputError, match="is not the directory"):
            do(old)
        pending = int(old._publication.pending)
        assert communicator.max(pending) == -communicator.max(-pending)  # the ranks agree
        if communicator.is_root:
            assert [path.read_text() for path in run.iterdir()] == ["of another"]
        communicator.barrier()
