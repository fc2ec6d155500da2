"""epmpi watch of an ensemble: its means, how many replicas are where, a line for each."""

import io

import h5py
import numpy as np
import pytest
from rich.console import Console

from epmpi.analysis import AnalysisError
from epmpi.config import from_mapping
from epmpi.ensemble import Ensemble
from epmpi.parallel import Communicator
from epmpi.watch import picture, read_replicas, watch
from epmpi.watch.picture import MOST_LINES


@pytest.fixture(scope="module")
def finished(hundred_steps, tmp_path_factory):
    """Give an ensemble of three replicas."""
    configuration = from_mapping({**hundred_steps, "run": {"replicas": 3}})
    directory = tmp_path_factory.mktemp("run") / "three"
    Ensemble(configuration, Communicator.world()).run(directory, progress=False)
    return directory


def copied(finished, tmp_path):
    """Return a copy of the ensemble without its last replica."""
    for name in ("replica-000", "replica-001"):
        (tmp_path / "three" / name).mkdir(parents=True)
        data = (finished / name / "run.h5").read_bytes()
        (tmp_path / "three" / name / "run.h5").write_bytes(data)
    text = (finished / "ensemble.toml").read_text()
    (tmp_path / "three" / "ensemble.toml").write_text(text)
    return tmp_path / "three"


def shown(seen, now=None):
    screen = Console(file=io.StringIO(), width=90)
    screen.print(picture(seen, seen.published + 5 if now is None else now))
    return screen.file.getvalue()


def test_an_ensemble_that_has_finished(finished):
    seen = read_replicas(finished)
    assert (seen.finished, seen.running, seen.number, seen.has_ended) == (3, 0, 3, True)
    assert seen.step == seen.total == 3 * 100
    values = []
    for number in range(3):
        with h5py.File(finished / f"replica-00{number}" / "run.h5") as file:
            parts = [file[f"{part}observables/activity/value"][()] for part in ("warmup/", "")]
        values.append(np.concatenate(parts))
    assert np.allclose(seen.series["activity"], np.mean(values, axis=0), rtol=1e-15)
    last = [series[-1] for series in values]
    text = shown(seen)
    error = np.std(last, ddof=1) / np.sqrt(3)
    assert f"{np.mean(last):.4g} +- {error:.1g}" in text
    for words in (
        "three: thermal model, T = 0.3, 16 x 12", "3 of 3 finished", "replica-002", "5 s ago",
    ):  # fmt: skip
        assert words in text
    assert "to come" not in text
    assert "left" not in text


def test_an_ensemble_that_goes_on(finished, put_back, tmp_path):
    """One replica has finished, one is at step 70 of 100 after 10 s, one has not begun."""
    directory = copied(finished, tmp_path)
    put_back(directory / "replica-001", seconds=10)
    seen = read_replicas(directory)
    assert (seen.finished, seen.running, seen.has_ended) == (1, 1, False)
    assert (seen.step, seen.total) == (170, 300)
    assert seen.rate == pytest.approx(7.0)
    assert seen.seconds_left(seen.published + 2) == pytest.approx(130 / 7 - 2)
    one = seen.runs[0].series["activity"]
    assert np.array_equal(seen.series["activity"][-1:], one[-1:])  # of the one that has got so far
    text = shown(seen)
    assert "1 of 3 finished, 1 running, 1 to come" in text
    assert "measure, 70 %" in text
    assert "replica-002" not in text


def test_an_ensemble_that_was_stopped_has_ended(finished, put_back, tmp_path):
    directory = copied(finished, tmp_path)
    put_back(directory / "replica-001", seconds=10, stopped="SIGTERM")
    seen = read_replicas(directory)
    assert seen.has_ended
    assert "1 of 3 finished, 1 stopped, 1 to come" in shown(seen)
    assert "stopped (SIGTERM)" in shown(seen)


def test_an_ensemble_before_its_first_publication(finished, tmp_path):
    directory = tmp_path / "early"
    (directory / "replica-000").mkdir(parents=True)
    (directory / "ensemble.toml").write_text((finished / "ensemble.toml").read_text())
    seen = read_replicas(directory)
    assert (seen.total, seen.has_ended, list(seen.series)) == (None, False, [])
    text = shown(seen)
    assert "0 of 3 finished, 3 to come" in text
    assert "nothing published yet" in text


def test_of_many_replicas_those_that_run_are_shown(finished, put_back, tmp_path):
    directory = copied(finished, tmp_path)
    text = (directory / "ensemble.toml").read_text()
    many = MOST_LINES + 4
    (directory / "ensemble.toml").write_text(text.replace("replicas = 3", f"replicas = {many}"))
    data = (directory / "replica-000" / "run.h5").read_bytes()
    for number in range(2, many):
        (directory / f"replica-{number:03d}").mkdir()
        (directory / f"replica-{number:03d}" / "run.h5").write_bytes(data)
    put_back(directory / f"replica-{many - 1:03d}", seconds=10)
    text = shown(read_replicas(directory))
    assert f"replica-{many - 1:03d}" in text
    assert f"replica-{MOST_LINES - 2:03d}" in text
    assert f"replica-{MOST_LINES - 1:03d}" not in text
    assert "and 4 more" in text


def test_a_damaged_ensemble_is_refused_in_one_line(finished, tmp_path):
    directory = copied(finished, tmp_path)
    (directory / "replica-001" / "run.h5").write_text("no HDF5")
    with pytest.raises(AnalysisError, match=r"replica-001/run\.h5 cannot be opened"):
        read_replicas(directory)
    (directory / "ensemble.toml").write_text("[")
    with pytest.raises(AnalysisError, match=r"ensemble\.toml") as caught:
        watch(directory, Console(file=io.StringIO()), once=True)
    assert "\n" not in str(caught.value)


def test_the_live_view_ends_with_the_ensemble(finished):
    screen = Console(file=io.StringIO(), width=90, force_terminal=True)
    watch(finished, screen)
    assert screen.file.getvalue().count("3 of 3 finished") == 1
