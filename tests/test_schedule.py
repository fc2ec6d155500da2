import h5py
import numpy as np
import pytest

from epmpi.analysis import RunFile
from epmpi.analysis.lags import sliding_lags
from epmpi.analysis.run_file import POSITION
from epmpi.config import from_mapping
from epmpi.run.schedule import Schedule, logarithmic_offsets
from epmpi.run.simulation import Simulation

OUTPUT = {"trajectory_every": 10.0, "trajectory_lags": "logarithmic", "series_every": 0.0}


def settings(**changes):
    return from_mapping(
        {
            "lattice": {"shape": [8, 8]},
            "tracers": {"number": 4},
            "time": {"step": 0.05, "warmup": 0.0, "duration": 60.0},
            "output": {**OUTPUT, **changes},
        }
    )


def test_offsets_are_spread_over_all_decades():
    offsets = logarithmic_offsets(10**5, 20)
    assert offsets[:3] == [0, 1, 2]
    assert max(offsets) < 10**5
    assert np.all(np.diff(np.log10(offsets[1:])) < 0.31)
    assert 40 < len(offsets) < 100
    assert {
        offset + 20
        for offset in offsets
        if 20 <= offset < 10**5 - 20 and offset - 20 not in offsets
    } <= set(offsets)


def test_there_is_an_offset_where_there_is_one_step():
    assert logarithmic_offsets(1, 20) == [0]


@pytest.mark.parametrize("duration", [0, 1, 199, 200, 745, 1200])
def test_frames_are_counted_as_they_fall_due(duration):
    for lags in ("linear", "logarithmic"):
        schedule = Schedule(settings(trajectory_lags=lags))
        due = sum(schedule.due("trajectory", step) for step in range(duration + 1))
        assert schedule.frames("trajectory", duration) == due
    assert schedule.frames("series", duration) == 0
    assert not schedule.due("series", 0)


@pytest.mark.parametrize("lags", ["linear", "logarithmic"])
def test_nothing_falls_due_before_it_is_next(lags):
    schedule = Schedule(settings(trajectory_lags=lags, series_every=0.35, fields_every=5.0))
    for what in schedule.every:
        for step in range(0, 450, 7):
            expected = [at for at in range(step + 1, step + 250) if schedule.due(what, at)]
            assert schedule.next_due(what, step) == (expected[0] if expected else None)


def test_a_run_spans_one_step_to_its_end(tmp_path):
    Simulation(settings()).run(tmp_path / "run", progress=False)
    with h5py.File(tmp_path / "run" / "run.h5") as file:
        origins = file["parameters/origins"].attrs
        step = file[f"{POSITION}/step"][()]
        assert origins["every"] == 200
        known = {origin + offset for origin in range(0, 1201, 200) for offset in origins["offsets"]}
        assert set(step.tolist()) == {at for at in known if at <= 1200}
        assert np.all(np.diff(step) > 0)
    with RunFile(tmp_path / "run") as run:
        lags = sliding_lags(run.clock(POSITION))
    assert lags[0].time == pytest.approx(0.05)
    assert lags[-1].time == pytest.approx(12, rel=0.2)
    for lag in lags:
        assert lag.count in (5, 6)
        assert np.all(np.diff(step[lag.origins]) == 200)


def test_linear_frames_have_no_index(tmp_path):
    Simulation(settings(trajectory_lags="linear")).run(tmp_path / "run", progress=False)
    with h5py.File(tmp_path / "run" / "run.h5") as file:
        assert "origins" not in file["parameters"]
        assert len(file[f"{POSITION}/step"]) == 7
