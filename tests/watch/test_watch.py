"""epmpi watch: snapshots of runs in every state, and their pictures."""

import io
import os
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from rich.console import Console

from epmpi.analysis import AnalysisError
from epmpi.config import from_mapping
from epmpi.run.simulation import Simulation
from epmpi.watch import picture, read_snapshot, snapshot, watch
from epmpi.watch.picture import LEVELS, QUIET, left, sparkline, title


@pytest.fixture(scope="module")
def finished(hundred_steps, tmp_path_factory):
    """Give a run of 40 steps of warm-up and 60 of measurement."""
    directory = tmp_path_factory.mktemp("run") / "hot"
    return Simulation(from_mapping(hundred_steps)).run(directory, progress=False)


@pytest.fixture
def going_on(finished, put_back, tmp_path):
    """Give the same run as its file was at step 70, and when that was published."""
    run = tmp_path / "hot"
    run.mkdir()
    (run / "run.h5").write_bytes((finished / "run.h5").read_bytes())
    return run, put_back(run, seconds=14)


def shown(seen, now, **options):
    screen = Console(file=io.StringIO(), width=80, **options)
    screen.print(picture(seen, now))
    return screen.file.getvalue()


def test_a_finished_run(finished):
    seen = read_snapshot(finished)
    assert (seen.ended, seen.step, seen.total, seen.in_warmup) == ("finished", 100, 100, False)
    with h5py.File(finished / "run.h5") as file:
        expected = [file[f"{part}observables/activity/value"][()] for part in ("warmup/", "")]
        speed = file["parameters"].attrs["site_updates_per_second"]
    assert np.array_equal(seen.series["activity"], np.concatenate(expected))
    assert seen.site_updates == pytest.approx(speed)
    assert seen.seconds_left(0.0) is None
    text = shown(seen, seen.published + 5)
    for words in (
        "hot: thermal model, T = 0.3, 16 x 12",
        "activity",
        "finished",
        "100 %",
        "5 s ago",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("activation", "activity", "at"),
    [("three_halves", None, "T = 0.3"), ("random", 0.02, "a = 0.02")],
)
def test_the_title_of_a_rule_that_somebody_has_added(activation, activity, at):
    """See docs/extending.md: only the random model has no temperature."""
    model = SimpleNamespace(activation=activation, activity=activity, temperature=0.3)
    configuration = SimpleNamespace(model=model, lattice=SimpleNamespace(shape=(16, 12)))
    said = title(SimpleNamespace(name="hot", configuration=configuration))
    assert str(said) == f"hot: {activation} model, {at}, 16 x 12"


def test_a_run_that_goes_on(going_on):
    run, published = going_on
    seen = read_snapshot(run)
    assert (seen.ended, seen.step, seen.total, seen.in_warmup) == ("", 70, 100, False)
    assert seen.rate == pytest.approx(70 / 14)
    assert seen.seconds_left(published + 2) == pytest.approx(30 / 5 - 2)
    assert "4 s left" in shown(seen, published + 2)
    assert "killed?" not in shown(seen, published + 2)
    assert "killed?" in shown(seen, published + QUIET + 1)


def test_the_rate_is_that_since_the_last_look(going_on):
    run, published = going_on
    before = read_snapshot(run)
    with h5py.File(run / "run.h5", "r+") as file:
        for series in file["observables"].values():
            series["step"][-1] = 50
    os.utime(run / "run.h5", (published + 10, published + 10))
    assert read_snapshot(run, before).rate == pytest.approx(20 / 10)


def test_a_warmup_without_a_known_end(going_on):
    run, published = going_on
    with h5py.File(run / "run.h5", "r+") as file:
        del file["observables"]
        text = file["parameters"].attrs["configuration"]
        automatic = text.replace(b"warmup = 2.0", b'warmup = "auto"')
        file["parameters"].attrs["configuration"] = automatic
    seen = read_snapshot(run)
    assert (seen.step, seen.total, seen.in_warmup) == (30, None, True)
    assert left(seen, published) == ""
    assert "step 30" in shown(seen, published)


def test_a_file_that_is_replaced_while_it_is_read_is_read_again(going_on, monkeypatch):
    run, published = going_on
    read, times = snapshot._snapshot, []

    def replaced(file, when):
        times.append(when)
        if len(times) == 1:
            os.utime(run / "run.h5", (published + 1, published + 1))
            raise AnalysisError("a segment is gone")
        return read(file, when)

    monkeypatch.setattr(snapshot, "_snapshot", replaced)
    assert read_snapshot(run).published == published + 1
    assert len(times) == 2


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(AnalysisError, match="no run file"):
        watch(tmp_path, Console(file=io.StringIO()), once=True)
    (tmp_path / "run.h5").write_text("no HDF5")
    with pytest.raises(AnalysisError, match="cannot be opened"):
        read_snapshot(tmp_path)


def test_sparklines():
    assert sparkline(np.arange(8.0), 16)[-4:] == "▁▃▆█"
    assert sparkline(np.arange(80.0), 8) == "▁▁▁▁▁▃▆█"
    assert sparkline(np.append(np.full(8, 99.0), np.arange(8.0)), 16) == 8 * LEVELS[-1] + LEVELS
    assert sparkline(np.ones(5), 3) == 3 * LEVELS[0]
    assert sparkline(np.zeros(0), 3) == ""


def test_the_live_view_ends_with_the_run(finished):
    screen = Console(file=io.StringIO(), width=80, force_terminal=True)
    watch(finished, screen)
    assert screen.file.getvalue().count("finished") == 1


def test_the_command(launch, finished, tmp_path):
    done = launch("-m", "epmpi.cli", "watch", str(finished), "--once")
    assert done.returncode == 0, done.stderr
    assert "finished" in done.stdout
    done = launch("-m", "epmpi.cli", "watch", str(tmp_path / "nothing"), "--once")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_series_without_a_value_are_left_out(going_on):
    """As in a damaged file whose extents are zero; found by fuzzing."""
    run, now = going_on
    with h5py.File(run / "run.h5", "r+") as file:
        for series in file["observables"].values():
            for part in ("step", "time", "value"):
                series[part].resize(0, axis=0)
    seen = read_snapshot(run)
    assert (seen.step, seen.in_warmup) == (30, True)
    assert seen.series and all(values.size for values in seen.series.values())
    assert "activity" in shown(seen, now)
