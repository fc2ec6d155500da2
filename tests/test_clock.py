"""Interface of the clocks: with each of them the state is complete and restored completely."""

import numpy as np
import pytest

from epmpi.config import from_mapping
from epmpi.model import model
from epmpi.model.model import Model
from epmpi.model.state import Part
from epmpi.model.steps import TimeSteps
from epmpi.output import Checkpoint, open_run
from epmpi.parallel import Communicator

pytestmark = pytest.mark.mpi


class LateClock(TimeSteps):
    """A clock that lets the stress lag behind until somebody looks, and counts its ticks."""

    def __init__(self, configuration, fft, fields, activation, tracers):
        super().__init__(configuration, fft, fields, activation, tracers)
        self.lag = np.zeros_like(fields.stress)
        self.ticks = 0
        self.times = np.empty((0, 2), np.float32)
        self.is_root = fft.communicator.is_root

    def advance(self, step, until):
        """Count a tick, in which the stress grows everywhere."""
        assert step == self.ticks
        assert until > step
        self.ticks += 1
        self.times = np.vstack([self.times, np.float32([[step, np.inf]])])
        self.lag += 0.5
        return self.ticks

    def complete(self):
        """Bring the stress up to now."""
        self._fields.stress += self.lag
        self.lag[:] = 0

    def fields(self):
        """Return the lag too."""
        return {**super().fields(), "lag": self.lag}

    def counts(self):
        """Return the ticks too, counted on one rank."""
        return {**super().counts(), "ticks": np.array(self.ticks if self.is_root else 0)}

    def root(self):
        """Return an array whose length changes; each rank has one, the root's counts."""
        return {"times": self.times}

    def restore(self, fields, counts, root):
        """Take over the ticks, which are on the root alone, and their times."""
        super().restore(fields, counts, root)
        self.ticks = int(counts["ticks"])
        self.times = root["times"]


@pytest.fixture
def late(comm, monkeypatch):
    """Return a model with another clock."""
    monkeypatch.setitem(model.CLOCKS, "steps", LateClock)
    shape = {"lattice": {"shape": [8, 10]}, "tracers": {"number": 5}}
    return lambda: Model(from_mapping(shape), Communicator(comm))


def test_what_is_looked_at_is_of_the_present(comm, late):
    made = late()
    for _ in range(3):
        made.step()
    assert made.stress.max() == 0.0
    if comm.rank == 0:
        assert made.observables()["stress_mean"] == 1.5
    else:
        assert made.observables() == {}
    made.step()
    assert np.all(made.state().fields["stress"] == 2.0)
    made.clock.lag[0, 0] = np.nan
    assert made.fault() == f"stress is nan at site [{made.slab.start}, 0]"


def test_its_fields_and_counts_are_part_of_the_state(comm, late):
    made, other = late(), late()
    for _ in range(3):
        made.step()
    state = made.state()
    assert state.counts["ticks"] == 3
    made.step()
    state.fields["lag"] = made.clock.lag.copy()
    other.restore(state)
    assert np.all(other.clock.lag == 0.5)
    assert other.clock.ticks == (3 if comm.rank == 0 else 0)
    assert other.step_count == 3


def test_what_its_root_has_is_given_to_all(comm, late, shared_tmp_path):
    """Through a checkpoint, beside what a record keeps."""
    made = late()
    for _ in range(3):
        made.step()
    record, again = Kept(comm.rank), Kept(99)
    made.keep("kept", record)
    state = made.state()
    names = {"times", "kept/number"} if comm.rank == 0 else set()
    assert set(state.root) == names
    communicator = made.communicator
    with open_run(
        shared_tmp_path / "run", made.configuration, communicator, made.lattice, {}
    ) as store:
        store.checkpoint(state, {})
    other = late()
    other.keep("kept", again)
    checkpoint = Checkpoint.open(shared_tmp_path / "run", communicator)
    other.restore(checkpoint.state(other.state(), 5, other.slab, communicator))
    checkpoint.release()
    assert other.clock.times.dtype == np.float32
    assert other.clock.times.tolist() == [[0, np.inf], [1, np.inf], [2, np.inf]]
    assert again.number == 0


class Kept(Part):
    """A record of one number, which ranks have of their own."""

    def __init__(self, number):
        self.number = number

    def root(self):
        """Return it."""
        return {"number": np.array(self.number)}

    def restore(self, fields, counts, root):
        """Take it over."""
        self.number = int(root["number"])
