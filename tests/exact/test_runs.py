"""Whole runs of the exact clock: what is written, and that quiet times cost no ticks."""

import h5py
import numpy as np
import pytest
from exact_runs import configuration

from epmpi.model.exact import clock
from epmpi.run.simulation import Simulation

WRITTEN = {
    "series_every": 0.5,
    "trajectory_every": 16.0,
    "trajectory_lags": "logarithmic",
    "fields_every": 8.0,
    "waiting_times_every": 4.0,
}


def written(path, **changes):
    """Run; return the run file."""
    settings = configuration(0.5, **changes)
    return h5py.File(Simulation(settings).run(path, progress=False) / "run.h5")


@pytest.fixture
def settings():
    return {"time": {"warmup": 8.0, "duration": 64.0}, "output": WRITTEN}


def numbers(file):
    """Return all numbers of a run by path."""
    found = {}
    file.visititems(lambda name, item: found.update({name: item}))
    return {
        name: item[()]
        for name, item in found.items()
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "iuf"
    }


def test_early_returns_change_nothing(tmp_path, settings, monkeypatch):
    """The run looks at the wall clock after some events, in the middle of a long way."""
    whole = numbers(written(tmp_path / "whole", **settings))
    monkeypatch.setattr(clock, "PAUSES", 1)
    interrupted = numbers(written(tmp_path / "interrupted", **settings))
    assert whole.keys() == interrupted.keys()
    for name, array in whole.items():
        np.testing.assert_array_equal(interrupted[name], array, err_msg=name)


def test_active_time_is_the_integral_of_the_activity(tmp_path, settings):
    """Against the activity at many instants; durations of events are whole in it."""
    file = written(tmp_path / "run", **settings)
    active = file["observables/active_time/value"][:]
    activity = file["observables/activity/value"][:]
    mean = (active[-1] - active[0]) / 64.0 / (17 * 40)
    error = activity.std() / np.sqrt(len(activity) / 4)  # correlated over an event, two samples
    assert mean > 0
    assert abs(mean - activity.mean()) < 4 * error


def test_quiet_ticks_are_skipped(tmp_path, monkeypatch):
    """The clock is asked for as many ticks at once as nothing is written at."""
    asked = []
    advance = clock.ExactClock.advance

    def counted(self, step, until):
        asked.append(until - step)
        return advance(self, step, until)

    monkeypatch.setattr(clock.ExactClock, "advance", counted)
    settings = configuration(
        1e-3,
        model={"temperature": 0.01},
        time={"warmup": 0.0, "duration": 10.0},
        output={"series_every": 5.0, "trajectory_every": 10.0, "trajectory_lags": "logarithmic"},
    )
    Simulation(settings).run(tmp_path / "run", progress=False)
    assert sum(asked) == 10000
    assert len(asked) < 200  # frames at logarithmic offsets, and looks at the wall clock


def test_a_late_frame_shows_the_tracers_of_its_time(tmp_path, settings):
    """However seldom they move between frames: two runs that differ in the frames alone."""
    often = written(tmp_path / "often", **settings)
    seldom = written(
        tmp_path / "seldom",
        **settings | {"output": {**WRITTEN, "trajectory_lags": "linear"}},
    )
    found = seldom["particles/tracers/position/value"][:]
    every = often["particles/tracers/position/step"][:]
    at = np.isin(every, seldom["particles/tracers/position/step"][:])
    close = often["particles/tracers/position/value"][:][at]
    moved = np.linalg.norm(close[-1] - close[0], axis=1)
    assert moved.max() > 0.01
    np.testing.assert_allclose(found, close, atol=0.1 * moved.max())
