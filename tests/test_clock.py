"""What a model asks of its clock: whatever advances it, its state is whole and restored whole."""

import numpy as np
import pytest

from epmpi import model
from epmpi.config import from_mapping
from epmpi.model import Model
from epmpi.parallel import Communicator
from epmpi.steps import TimeSteps

pytestmark = pytest.mark.mpi


class LateClock(TimeSteps):
    """A clock that lets the stress lag behind until somebody looks, and counts its ticks."""

    def __init__(self, configuration, fft, fields, activation, tracers):
        super().__init__(configuration, fft, fields, activation, tracers)
        self.lag = np.zeros_like(fields.stress)
        self.ticks = 0
        self.is_root = fft.communicator.is_root

    def advance(self, step):
        """Count a tick, in which the stress grows everywhere."""
        assert step == self.ticks
        self.ticks += 1
        self.lag += 0.5

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

    def restore(self, fields, counts):
        """Take over the ticks, which are on the root alone."""
        super().restore(fields, counts)
        self.ticks = int(counts["ticks"])


@pytest.fixture
def late(comm, monkeypatch):
    """Return a model with another clock."""
    monkeypatch.setattr(model, "TimeSteps", LateClock)
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
