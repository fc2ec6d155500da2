"""Random thresholds of instantaneous events: in frames, checkpoint and initial state."""

import h5py
import numpy as np
import pytest
from exact_runs import AT_ONCE, configuration

from epmpi.analysis import RunFile
from epmpi.model.model import Model
from epmpi.run.simulation import Simulation

RANDOM = {
    "normal": AT_ONCE | {"thresholds": "normal", "threshold_deviation": 0.3},
    "weibull": AT_ONCE | {"thresholds": "weibull", "threshold_deviation": 0.2},
    "extremal": AT_ONCE
    | {"activation": "extremal", "thresholds": "normal", "threshold_deviation": 0.2},
}
every_kind = pytest.mark.parametrize("model", RANDOM.values(), ids=RANDOM)


def settings(model, duration=40.0, **sections):
    return configuration(
        1.0,
        model=model,
        tracers={"number": 0},
        time={"warmup": 10.0, "duration": duration},
        output={"events": True, "fields_every": 5.0, "trajectory_every": 0.0},
        **sections,
    )


def thresholds(path):
    with RunFile(path) as run:
        times = run.clock("fields/threshold").time
        return times, np.array([run.field("threshold", n) for n in range(len(times))])


@every_kind
def test_a_threshold_changes_where_and_when_its_site_yields(tmp_path, model):
    """From frame to frame, with the log of events; the log has the distances from them."""
    run = Simulation(settings(model)).run(tmp_path / "run", progress=False)
    times, found = thresholds(run)
    with RunFile(run) as file:
        events = file.events()
        stress = np.array([file.field("stress", n) for n in range(len(times))])
    assert len(events) > 30
    for n in range(len(times) - 1):
        yielded = np.zeros(found[0].shape, bool)
        between = (events.start > times[n]) & (events.start <= times[n + 1])
        yielded[events.x[between], events.y[between]] = True
        np.testing.assert_array_equal(found[n] != found[n + 1], yielded)
        # Until the first event after a frame no stress changes.
        first = np.flatnonzero(between)[:1]
        site = events.x[first], events.y[first]
        distance = found[n][site] - np.abs(stress[n][site])
        np.testing.assert_allclose(events.distance[first], distance, atol=1e-6)


@every_kind
def test_a_resumed_run_has_the_same_thresholds(tmp_path, model):
    whole = Simulation(settings(model)).run(tmp_path / "whole", progress=False)
    run = Simulation(settings(model, duration=20.0)).run(tmp_path / "run", progress=False)
    Simulation.resume(run, ["time.duration=40.0"]).run(progress=False)
    np.testing.assert_array_equal(thresholds(run)[1], thresholds(whole)[1])
    with h5py.File(whole / "checkpoint.h5") as first, h5py.File(run / "checkpoint.h5") as second:
        np.testing.assert_array_equal(first["fields/threshold"][()], second["fields/threshold"][()])


@every_kind
def test_the_final_state_of_a_run_has_its_thresholds(tmp_path, model):
    """From the checkpoint and from the last frame; whatever the new driver, and its tiles."""
    run = Simulation(settings(model)).run(tmp_path / "run", progress=False)
    last = thresholds(run)[1][-1]
    for state in (run, run / "run.h5"):
        for other in RANDOM.values():
            start = settings(other, initial={"state": str(state), "stress_deviation": 0.0})
            begun = Simulation(start).model
            np.testing.assert_array_equal(begun.fields.threshold, last)
            np.testing.assert_array_equal(begun.clock._engine.threshold, last)


def test_a_state_without_thresholds_of_its_sites_leaves_them_to_be_drawn(tmp_path):
    run = Simulation(settings(AT_ONCE)).run(tmp_path / "run", progress=False)
    initial = {"state": str(run), "stress_deviation": 0.0}
    begun = Simulation(settings(RANDOM["normal"], initial=initial)).model
    drawn = Model(settings(RANDOM["normal"])).fields.threshold
    np.testing.assert_array_equal(begun.fields.threshold, drawn)
    assert drawn.std() > 0.2


def test_one_threshold_is_no_field(tmp_path):
    run = Simulation(settings(AT_ONCE)).run(tmp_path / "run", progress=False)
    with h5py.File(run / "run.h5") as file, h5py.File(run / "checkpoint.h5") as state:
        assert "threshold" not in file["fields"]
        assert "threshold" not in state["fields"]
