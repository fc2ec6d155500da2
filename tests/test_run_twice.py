"""A Simulation or an Ensemble runs once, and is continued from its directory."""

import os
import signal

import pytest
from stepped import call_at_steps

from epmpi.config import ConfigError, from_mapping
from epmpi.ensemble import Ensemble
from epmpi.run.simulation import Simulation


def configured(replicas=1):
    return from_mapping(
        {
            "lattice": {"shape": [16, 12]},
            "tracers": {"number": 10},
            "time": {"warmup": 0.0, "duration": 2.0},
            "run": {"replicas": replicas},
        }
    )


def contents(run):
    return {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


@pytest.mark.parametrize("again", [None, "another"])
@pytest.mark.parametrize(("kind", "replicas"), [(Simulation, 1), (Ensemble, 2)])
def test_a_second_run_is_refused(tmp_path, kind, replicas, again):
    ran = kind(configured(replicas))
    run = ran.run(tmp_path / "run", progress=False)
    before = contents(run)
    line = f"has run already, in {run}: continue with {kind.__name__}"
    with pytest.raises(ConfigError, match=line):
        ran.run(again and tmp_path / again, progress=False)
    assert contents(tmp_path) == before
    with pytest.raises(ConfigError, match="has run already"):
        resumed = kind.resume(run)
        resumed.run(progress=False)
        resumed.run(progress=False)


def test_so_is_one_after_an_interruption(tmp_path):
    """A finished run of one frame came of it."""
    ran = Simulation(configured())

    def send():
        if ran.model.step_count == 10:
            os.kill(os.getpid(), signal.SIGTERM)

    call_at_steps(ran.model, after=send)
    run = ran.run(tmp_path / "run", progress=False)
    assert ran.stopped == "SIGTERM"
    with pytest.raises(ConfigError, match=r"Simulation.resume\('"):
        ran.run(tmp_path / "another", progress=False)
    assert not (tmp_path / "another").exists()
    resumed = Simulation.resume(run)
    resumed.run(progress=False)
    assert not resumed.stopped


def test_one_that_could_not_begin_may_run_elsewhere(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "precious").touch()
    for kind, replicas in ((Simulation, 1), (Ensemble, 2)):
        ran = kind(configured(replicas))
        with pytest.raises(ConfigError, match="exists"):
            ran.run(tmp_path / "run", progress=False)
        ran.run(tmp_path / kind.__name__, progress=False)
