"""Batches on a simulated GPU against the CPU; run by `test_simulated.py`."""

import pytest
from same_runs import differences
from simulated_gpu import simulated_gpu
from test_batch import CASES, assert_same, models, step_all

from epmpi.config import from_mapping
from epmpi.devices import CPU
from epmpi.ensemble import Ensemble, ensemble
from epmpi.model.batch import Batch
from epmpi.model.waiting import WaitingTimes
from epmpi.output.checkpoint import NAME


@pytest.mark.parametrize("case", [name for name in CASES if "numpy" not in name])
def test_a_batch_follows_the_cpu(case):
    slow, fast = models(case), models(case, simulated_gpu())
    batch = Batch(fast)
    step_all(batch, slow, 4)
    for one, other in zip(fast, slow, strict=True):
        assert_same(one, other, 1e-12)
    assert sum(int(model.device.to_host(model.fields.events)[0]) for model in slow) > 6


def test_waiting_times_of_a_batch_are_counted_alike():
    slow, fast = models("bilinear"), models("bilinear", simulated_gpu())
    for model in (*slow, *fast):
        model.accumulate("waiting_times", WaitingTimes(model.slab.shape, 0, model.device))
    batch = Batch(fast)
    step_all(batch, slow, 20)
    for one, other in zip(fast, slow, strict=True):
        assert_same(one, other, 1e-12)


def test_an_ensemble_goes_on_as_a_batch_on_one_card(monkeypatch, tmp_path):
    """Its files are those of the replicas one by one."""
    card = simulated_gpu()
    assert card.batches
    assert not CPU.batches
    monkeypatch.setattr(ensemble, "place", lambda name, communicator: card)
    configuration = from_mapping(
        {
            "lattice": {"shape": [6, 8]},
            "tracers": {"number": 5},
            "time": {"step": 0.1, "warmup": 0.2, "duration": 0.6},
            "output": {"series_every": 0.2, "trajectory_every": 0.2},
            "run": {"replicas": 3, "seed": 2},
        }
    )
    Ensemble(configuration).run(tmp_path / "together", progress=False)
    monkeypatch.setattr(card, "batches", False)
    Ensemble(configuration).run(tmp_path / "apart", progress=False)
    for number in range(3):
        name = f"replica-{number:03d}"
        assert (tmp_path / "together" / name / NAME).exists()
        assert differences(tmp_path / "apart" / name, tmp_path / "together" / name) == []
