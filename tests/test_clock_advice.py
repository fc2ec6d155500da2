"""Advice on the clock: the law against what was measured, and the line that users see."""

import csv
from pathlib import Path

import numpy as np
import pytest

from epmpi.config import from_mapping
from epmpi.devices import CPU
from epmpi.model.expected import expected_activity
from epmpi.parallel import Communicator
from epmpi.run.clock_advice import advice, exact_clock_gain
from epmpi.run.planning import plan

MEASURED = Path(__file__).parent.parent / "benchmarks" / "results" / "events.csv"


def settings(length=256, temperature=0.05, clock="steps", **sections):
    found = {
        "lattice": {"shape": [length, length]},
        "model": {"temperature": temperature},
        "tracers": {"number": 0},
        "time": {"clock": clock, "duration": 100.0, "warmup": 0.0},
    }
    for name, values in sections.items():
        found[name] = found.get(name, {}) | values
    return from_mapping(found)


def test_the_law_is_that_of_the_benchmark():
    """Within a factor of three: it is there to tell ten from one."""
    with MEASURED.open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["tracers"] == "0"]
    assert len(rows) > 10
    for row in rows:
        configuration = settings(int(row["L"]), float(row["T"]))
        gain = exact_clock_gain(configuration, float(row["activity"]), 0.05)
        assert np.log(gain / float(row["gain"])) == pytest.approx(0, abs=np.log(3.5))


@pytest.mark.parametrize(
    ("temperature", "measured"), [(0.1, 0.015), (0.05, 1.25e-4), (0.03, 1.93e-7)]
)
def test_the_expected_activity_is_that_of_validation(temperature, measured):
    assert expected_activity(settings(temperature=temperature)) == pytest.approx(measured, rel=0.15)


def test_the_activity_of_other_models_is_not_guessed():
    assert expected_activity(settings(model={"direction": "both"})) is None
    assert expected_activity(settings(model={"strain_rate": 1e-3})) is None
    assert expected_activity(settings(propagator={"prefactor": 2.0})) is None
    random = settings(model={"activation": "random", "activity": 0.25, "temperature": 0.1})
    assert expected_activity(random) == 0.25


def test_cold_runs_in_steps_are_reported_of_the_exact_clock():
    line = advice(settings(temperature=0.04), 1.1e-5)
    assert "\n" not in line
    assert "the exact clock would take about" in line
    assert "times less here, where a fraction 1e-05 of the sites is active" in line
    assert line.endswith("--set time.clock=exact")


@pytest.mark.parametrize(
    ("activity", "words"),
    [(1.2e-4, "about 30 times"), (1.9e-7, "about 20000 times"), (1e-12, "more than 1e+06 times")],
)
def test_no_number_has_more_digits_than_are_known(activity, words):
    assert f"the exact clock would take {words} less here" in advice(settings(), activity)


def test_hot_runs_by_the_exact_clock_are_reported_of_steps():
    line = advice(settings(temperature=0.2, clock="exact", time={"step": 1.0}), 0.13)
    assert "steps of 0.1 would take about" in line
    assert line.endswith("--set time.clock=steps --set time.step=0.1")


@pytest.mark.parametrize(
    ("changes", "activity"),
    [
        ({}, 0.003),  # about as fast
        ({}, None),  # nothing is known
        ({}, 0.0),  # nothing has yielded
        ({}, 1e-208),  # nor ever will
        ({"run": {"precision": "single"}}, 1e-6),  # it cannot
        ({"run": {"device": "gpu"}}, 1e-6),
        ({"tracers": {"number": 10, "every": 2}}, 1e-6),
    ],
)
def test_nothing_is_said_where_nothing_is_to_be_gained(changes, activity):
    assert advice(settings(**changes), activity) == ""


@pytest.mark.mpi
@pytest.mark.parametrize("temperature", [0.07, 0.01])
def test_a_plan_counts_events(comm, monkeypatch, temperature):
    """Also where none happens in the trial."""
    monkeypatch.setattr("epmpi.run.planning.TRIAL_SECONDS", 0.1)
    configuration = settings(32, temperature, "exact", time={"step": 0.5, "duration": 1000.0})
    needs = plan(configuration, Communicator(comm), CPU())
    expected = expected_activity(configuration) * 32**2 * 1000
    assert needs.events == pytest.approx(expected)
    assert needs.seconds_per_event > 0
    assert needs.seconds == pytest.approx(expected * needs.seconds_per_event)
