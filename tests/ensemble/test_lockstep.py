"""Ensembles that go on as a batch: the same runs, whenever they end, stop or fail."""

import numpy as np
import pytest
from same_runs import differences

from epmpi.config import from_mapping, replica_name
from epmpi.devices import CPU
from epmpi.ensemble import Ensemble
from epmpi.model.batch import Batch
from epmpi.model.state import StateError
from epmpi.parallel import Communicator

REPLICAS = 4


@pytest.fixture
def batched(monkeypatch):
    """Let the CPU be a device that is best given batches; return the sizes of those made."""
    sizes = []

    def counted(self, models, made=Batch.__init__):
        sizes.append(len(models))
        made(self, models)

    monkeypatch.setattr(CPU, "batches", True)
    monkeypatch.setattr(Batch, "__init__", counted)
    return sizes


def small(**sections):
    base = {
        "lattice": {"shape": [10, 12]},
        "tracers": {"number": 11},
        "time": {"warmup": 0.5, "duration": 2.0},
        "output": {"series_every": 0.5, "trajectory_every": 0.5, "waiting_times_every": 1.0},
        "run": {"replicas": REPLICAS, "seed": 7, "device": "cpu"},
    }
    return from_mapping({**base, **sections})


def assert_same_runs(one, other, replicas=range(REPLICAS)):
    for number in replicas:
        name = replica_name(number)
        assert differences(one / name, other / name) == []


@pytest.fixture
def apart(tmp_path, monkeypatch):
    """Return a function that runs an ensemble without batches."""

    def run(configuration):
        with monkeypatch.context() as patched:
            patched.setattr(CPU, "batches", False)
            return Ensemble(configuration).run(tmp_path / "apart", progress=False)

    return run


def test_the_same_runs(batched, apart, tmp_path):
    together = Ensemble(small()).run(tmp_path / "together", progress=False)
    assert batched == [REPLICAS]
    assert_same_runs(apart(small()), together)
    assert batched == [REPLICAS]


def test_warmups_that_end_at_different_steps(batched, apart, tmp_path):
    """Each replica decides for itself, and leaves the batch when it has ended."""
    configuration = small(model={"temperature": 1.0}, time={"warmup": "auto", "duration": 1.0})
    together = Ensemble(configuration).run(tmp_path / "together", progress=False)
    assert batched[0] == REPLICAS
    assert len(batched) > 1
    assert_same_runs(apart(configuration), together)


def test_stopped_together_they_go_on_together(batched, apart, tmp_path):
    run = tmp_path / "together"
    limited = small(run={"replicas": REPLICAS, "seed": 7, "device": "cpu", "walltime": 1e-3})
    ensemble = Ensemble(limited)
    ensemble.run(run, progress=False)
    assert ensemble.stopped == "time limit"
    resumed = Ensemble.resume(run, ["run.walltime=0"])
    resumed.run(progress=False)
    assert resumed.finished == REPLICAS
    assert batched == [REPLICAS, REPLICAS]
    assert_same_runs(apart(small()), run)


def test_a_replica_that_fails_leaves_the_batch(batched, apart, tmp_path, monkeypatch):
    ensemble, steps = Ensemble(small()), []

    def step(self, taken=Batch.step):
        taken(self)
        steps.append(len(self.models))
        if len(steps) == 15:
            self.models[1].stress[3, 4] = np.nan

    monkeypatch.setattr(Batch, "step", step)
    with pytest.raises(StateError, match="replica-001: stress is nan"):
        ensemble.run(tmp_path / "together", progress=False)
    assert ensemble.finished == REPLICAS - 1
    assert batched == [REPLICAS, REPLICAS - 1]
    assert_same_runs(apart(small()), tmp_path / "together", [0, 2, 3])


@pytest.mark.mpi(min_size=2)
def test_each_rank_has_a_batch(comm, shared_tmp_path, monkeypatch):
    """And where there are more ranks than replicas there is none."""
    monkeypatch.setattr(CPU, "batches", True)
    communicator = Communicator(comm)
    Ensemble(small(), communicator).run(shared_tmp_path / "together", progress=False)
    monkeypatch.setattr(CPU, "batches", False)
    Ensemble(small(), communicator).run(shared_tmp_path / "apart", progress=False)
    if communicator.is_root:
        assert_same_runs(shared_tmp_path / "apart", shared_tmp_path / "together")
    communicator.barrier()
