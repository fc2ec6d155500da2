"""Analysis of a run by the exact clock: averages over time, waits in exact bins."""

import h5py
import numpy as np
import pytest
from exact_runs import configuration

from epmpi.analysis import RunFile, analyse, measure
from epmpi.analysis.blocks import block_average
from epmpi.campaign.quantities import QUANTITIES, Source
from epmpi.model.waiting import SHORTEST
from epmpi.run.simulation import Simulation

TICK, SITES = 0.5, 17 * 40


def carried_out(path, **changes):
    settings = configuration(
        TICK,
        lattice={"shape": (17, 40)},
        tracers={"number": 0},
        time={"warmup": 8.0, "duration": 200.0} | changes,
        output={"trajectory_every": 0.0, "waiting_times_every": 20.0},
        model={"temperature": 0.1},
    )
    return Simulation(settings).run(path, progress=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return carried_out(tmp_path_factory.mktemp("exact") / "run")


@pytest.fixture(scope="module")
def stepped(tmp_path_factory):
    return carried_out(tmp_path_factory.mktemp("steps") / "run", clock="steps")


def test_the_activity_is_that_over_all_of_the_time(run):
    (analysis,) = analyse(run)
    averages = analysis.averages
    with h5py.File(run / "run.h5") as file:
        active = file["observables/active_time"]
        assert active["value"].attrs["units"] == "tau x sites"
        total = active["value"][-1] - active["value"][0]
        sampled = file["observables/activity/value"][:]
    over_time = averages["activity"]
    assert over_time.value == pytest.approx(total / (200.0 * SITES), rel=1e-12)
    assert over_time.samples == len(sampled) - 1
    assert averages["activity_at_outputs"] == block_average(sampled)
    at_outputs = averages["activity_at_outputs"]
    assert 0 < abs(over_time.value - at_outputs.value) < 4 * over_time.error
    with h5py.File(analysis.numbers) as file:
        found = file["averages/activity"]
        assert "active_time" in found.attrs["definition"]
        assert found["value"][()] == over_time.value
        assert "outputs" in file["averages/activity_at_outputs"].attrs["definition"]
    assert {path.stem for path in analysis.figures} == {"series", "statistics"}


def test_scans_and_the_analysis_take_the_same_activity(run):
    with RunFile(run) as file:
        expected = measure(file).averages["activity"]
        assert QUANTITIES["activity"](Source(file)) == (expected.value, expected.error)


def test_the_activity_of_steps_is_that_at_the_outputs(stepped):
    with RunFile(stepped) as file:
        averages = measure(file).averages
        sampled = file.series("activity")[1]
        assert QUANTITIES["activity"](Source(file))[0] == sampled.mean()
    assert list(averages) == ["activity", "stress_mean", "stress_variance"]
    assert averages["activity"] == block_average(sampled)


def test_waits_stand_in_exact_bins(run, stepped):
    curves = []
    for path in (run, stepped):
        with RunFile(path) as file:
            waits = measure(file).waits
            edges = np.asarray(file.parameter("waiting_times", "edges")) * TICK
        curves.append(waits.density())
        np.testing.assert_allclose(waits.edges, edges, rtol=1e-12)
    exact, steps = curves
    assert "exact times" in exact.definition
    assert "whole steps" not in exact.definition
    assert "in bins of whole steps" in steps.definition
    assert exact.x[0] < TICK / 2 < steps.x[0]  # no wait of the steps is shorter than a step
    assert exact.x[0] >= SHORTEST / 2
