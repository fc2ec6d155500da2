"""A batch of models against the same models alone, bit for bit on the CPU."""

import numpy as np
import pytest

from epmpi.config import ConfigError, from_mapping
from epmpi.devices import CPU
from epmpi.model.batch import Batch
from epmpi.model.model import Model
from epmpi.model.waiting import WaitingTimes
from epmpi.parallel import Communicator

REPLICAS = 3
CASES = {
    "bilinear": {},
    "stream, lattice symbol": {
        "tracers": {"number": 9, "interpolation": "stream"},
        "propagator": {"symbol": "lattice"},
    },
    "nearest, sheared": {
        "tracers": {"number": 9, "interpolation": "nearest"},
        "model": {"temperature": 0.5, "strain_rate": 0.3},
    },
    "no tracers": {"tracers": {"number": 0}, "output": {"trajectory_every": 0.0}},
    "single, numpy": {"run": {"precision": "single", "fft": "numpy"}},
    "random": {"model": {"activation": "random", "activity": 0.3}},
    "several groups of draws": {"lattice": {"shape": [30, 20]}},
}


def models(case, device=None, replicas=REPLICAS):
    """Return models whose seeds are those of the replicas of an ensemble."""
    base = {
        "lattice": {"shape": [10, 12]},
        "model": {"temperature": 0.5},
        "tracers": {"number": 9},
        "run": {},
    }
    chosen = {**base, **CASES[case]}
    chosen["run"] = {**chosen["run"], "replicas": replicas, "seed": 5}
    configuration = from_mapping(chosen)
    alone = Communicator.world().split(Communicator.world().rank)
    return [
        Model(configuration.replica(number), alone, device or CPU()) for number in range(replicas)
    ]


def assert_same(one, other, tolerance=0.0):
    """Compare the whole states of two models."""
    ours, theirs = one.state(), other.state()
    assert ours.step_count == theirs.step_count
    assert {name: count.tolist() for name, count in ours.counts.items()} == {
        name: count.tolist() for name, count in theirs.counts.items()
    }
    for name, field in theirs.fields.items():
        assert ours.fields[name].dtype == field.dtype
        np.testing.assert_allclose(ours.fields[name], field, rtol=0, atol=tolerance)
    order, others = np.argsort(ours.identity), np.argsort(theirs.identity)
    np.testing.assert_allclose(
        ours.position[order], theirs.position[others], rtol=0, atol=tolerance
    )
    assert one.observables() == pytest.approx(other.observables(), rel=1e-12, abs=tolerance)


def step_all(batch, alone, number=1):
    """Let a batch, and models that are alone, take a number of steps."""
    for _ in range(number):
        batch.step()
        for model in alone:
            model.step()


@pytest.mark.parametrize("case", CASES)
def test_a_batch_is_its_models_alone(case):
    alone, together = models(case), models(case)
    batch = Batch(together)
    for _ in range(12):
        step_all(batch, alone)
        for one, other in zip(together, alone, strict=True):
            assert_same(one, other)
    events = [int(model.device.to_host(model.fields.events)[0]) for model in together]
    assert min(events) > 5
    assert len(set(events)) > 1


def test_a_batch_can_be_made_anew_of_some_of_its_models():
    alone, together = models("bilinear"), models("bilinear")
    batch = Batch(together)
    for _ in range(5):
        batch.step()
    smaller = Batch([together[0], together[2]])
    for _ in range(5):
        smaller.step()
    for model, steps in zip(alone, (10, 5, 10), strict=True):
        for _ in range(steps):
            model.step()
    for one, other in zip(together, alone, strict=True):
        assert_same(one, other)


def test_what_is_gathered_goes_to_its_model():
    sets = models("bilinear"), models("bilinear")
    for several in sets:
        for model in several:
            model.accumulate("waiting_times", WaitingTimes(model.slab.shape, 0, model.device))
    batch = Batch(sets[1])
    step_all(batch, sets[0], 60)
    for one, other in zip(*sets, strict=True):
        assert_same(one, other)
        assert one.accumulators["waiting_times"].number.sum() > 0


def test_models_that_cannot_go_together_are_refused():
    pair = models("bilinear", replicas=2)
    pair[1].step()
    with pytest.raises(ValueError, match="different steps"):
        Batch(pair)


@pytest.mark.mpi(min_size=2)
def test_a_batch_is_for_one_rank(comm):
    configuration = from_mapping({"lattice": {"shape": [10, 12]}, "tracers": {"number": 9}})
    model = Model(configuration, Communicator(comm), CPU())
    with pytest.raises(ConfigError, match="one rank"):
        Batch([model, model])
