import h5py
import numpy as np
import pytest
from run_files import brownian

from epmpi.analysis import AnalysisError, RunFile
from epmpi.analysis.run_file import POSITION
from epmpi.analysis.strips import tracer_strips


def complaint(path, work):
    with pytest.raises(AnalysisError) as caught, RunFile(path) as run:
        work(run)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_series_trajectory_and_fields_come_back(make_run):
    position = brownian(12, 7, 0.1, seed=1)
    stress = np.random.default_rng(1).normal(size=(3, 5, 9))
    activity = np.linspace(0, 1, 20)
    path = make_run(
        shape=(5, 9), position=position, fields={"stress": stress}, series={"activity": activity}
    )
    with RunFile(path) as run:
        assert run.shape == (5, 9)
        assert run.name == "run"
        assert run.tracers == 7
        assert run.parameter("model", "temperature") == 0.1
        assert run.parameter("model", "unheard_of", 3) == 3
        assert run.provenance()["seed"] == 7
        clock, value = run.series("activity")
        np.testing.assert_array_equal(value, activity)
        np.testing.assert_allclose(clock.time, 0.5 * np.arange(20))
        np.testing.assert_array_equal(run.field("stress", -1), stress[2])
        np.testing.assert_array_equal(run.field("stress", 0), stress[0])
        np.testing.assert_array_equal(run.positions(slice(2, 5)), position[:, 2:5])
        np.testing.assert_array_equal(
            run.positions(np.array([1, 4]), slice(None, None, 3)), position[::3, [1, 4]]
        )
    with RunFile(path / "run.h5") as run:
        assert run.name == "run"


def damage(path, change):
    with h5py.File(path / "run.h5", "r+") as file:
        change(file)
    return path


def test_damaged_content(make_run):
    content = {"position": brownian(12, 7, 0.1, seed=1), "series": {"activity": np.ones(5)}}

    def infinite(file):
        file[f"{POSITION}/value"][3, 2, 0] = np.inf

    def backwards(file):
        file[f"{POSITION}/time"][3] = 0.0

    def unknown(file):
        file["observables/activity/value"][1] = np.nan

    def no_time(file):
        del file["observables/activity/time"]

    run = damage(make_run("infinite", **content), infinite)
    assert "not finite" in complaint(run, lambda run: list(tracer_strips(run)))
    run = damage(make_run("backwards", **content), backwards)
    assert "increase" in complaint(run, lambda run: run.clock(POSITION))
    run = damage(make_run("unknown", **content), unknown)
    assert "finite" in complaint(run, lambda run: run.series("activity"))
    run = damage(make_run("no_time", **content), no_time)
    assert "lacks" in complaint(run, lambda run: run.series("activity"))
    assert "lacks" in complaint(make_run("none", **content), lambda run: run.series("events"))


def test_a_frame_that_a_kill_left_incomplete_is_left_out(make_run):
    def one_more_time(file):
        del file["observables/activity/time"]
        file["observables/activity/time"] = 0.5 * np.arange(6)

    run = damage(make_run(series={"activity": np.arange(5.0)}), one_more_time)
    with RunFile(run) as opened:
        clock, value = opened.series("activity")
    assert clock.time.size == value.size == 5
