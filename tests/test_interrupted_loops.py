"""Ctrl-C ends a loop over runs too: the run has its checkpoint, and no other one begins."""

import os
import signal
import subprocess
import time

import launching
import pytest
from stepped import call_at_steps

from epmpi.config import from_mapping
from epmpi.ensemble import Ensemble
from epmpi.run.course import Course
from epmpi.run.simulation import Simulation

SETTINGS = {
    "lattice": {"shape": [16, 12]},
    "tracers": {"number": 10},
    "time": {"warmup": 0.0, "duration": 1e6},
}
SCAN = """
[lattice]
shape = [16, 12]
[tracers]
number = 10
[time]
warmup = 0.0
duration = 1e6
[scan]
quantities = ["activity"]
[scan.grid]
"model.temperature" = [0.2, 0.3, 0.4]
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_loop_over_runs(tmp_path, number):
    """SIGINT ends it as an exception; after the others `stopped` says why."""
    stopped = []

    def loop():
        for name in ("first", "second"):
            simulation = Simulation(from_mapping(SETTINGS))

            def send(model=simulation.model):
                if model.step_count == 5:
                    os.kill(os.getpid(), number)

            call_at_steps(simulation.model, after=send)
            simulation.run(tmp_path / name, progress=False)
            stopped.append(simulation.stopped)

    if number == signal.SIGINT:
        with pytest.raises(KeyboardInterrupt):
            loop()
    else:
        loop()
        assert stopped == ["SIGTERM"] * 2
    assert (tmp_path / "first" / "checkpoint.h5").exists()
    assert (tmp_path / "second").exists() is (number == signal.SIGTERM)


def test_an_ensemble(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "epmpi.run.course.Recorder.next_due", lambda self: self.model.step_count + 1
    )
    monkeypatch.setattr(Course, "steps", interrupting(Course.steps))
    ensemble = Ensemble(from_mapping({**SETTINGS, "run": {"replicas": 2}}))
    with pytest.raises(KeyboardInterrupt):
        ensemble.run(tmp_path / "run", progress=False)
    assert ensemble.stopped == "SIGINT"
    assert (tmp_path / "run" / "replica-000" / "checkpoint.h5").exists()
    assert not (tmp_path / "run" / "replica-001").exists()


def interrupting(steps):
    """Return `Course.steps` of a run in which SIGINT comes after the first step."""

    def interrupted(*arguments, **options):
        for step in steps(*arguments, **options):
            yield step
            os.kill(os.getpid(), signal.SIGINT)

    return interrupted


def test_a_scan(tmp_path):
    (tmp_path / "scan.toml").write_text(SCAN)
    command = ("-m", "epmpi.cli", "scan", "scan.toml", "--workers", "1", "-o", "out")
    started = subprocess.Popen(
        launching.python(*command), cwd=tmp_path, env=launching.environment(), text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        while not (begun := list(tmp_path.glob("out/**/run.h5"))):
            assert started.poll() is None
            time.sleep(0.05)
        started.send_signal(signal.SIGINT)
        _, said = started.communicate(timeout=100)
    finally:
        if started.poll() is None:
            launching.end(started)
    assert (started.returncode, said) == (130, "epmpi: interrupted\n")
    [run] = begun
    [log] = tmp_path.glob("out/**/*.log")
    assert "continue with: epmpi resume" in log.read_text()
    assert list(tmp_path.glob("out/**/run.h5")) == [run]
    assert (run.parent / "checkpoint.h5").exists()
