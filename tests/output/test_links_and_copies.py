"""Links to a run file, copies without its segments, files that are not where they seem to be."""

import errno
import json
import shutil
from pathlib import Path

import commands_in_turn
import pytest

from epmpi.analysis import AnalysisError, RunFile, analyse
from epmpi.cli import main
from epmpi.config import ConfigError, from_mapping
from epmpi.output import segments
from epmpi.output.export import export
from epmpi.output.failures import reason
from epmpi.run.course import Course
from epmpi.run.simulation import Simulation

SMALL = {
    "lattice": {"shape": [16, 12]},
    "tracers": {"number": 0},
    "time": {"warmup": 0.0, "duration": 4.0},
    "output": {"fields_every": 1.0, "trajectory_every": 0.0},
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return the RUN of a finished run with segments."""
    monkeypatch.setattr(segments, "COPIED", 0)
    first = Simulation(from_mapping(SMALL)).run(tmp_path / "runs" / "a", progress=False)
    Simulation.resume(first, ["time.duration=8.0"]).run(progress=False)
    assert (first / "segments").is_dir()
    return first


def with_state(state):
    """Begin a run from the state of another."""
    Simulation(from_mapping(SMALL | {"initial": {"state": str(state)}}))


def test_links_are_followed(tmp_path, run):
    link, folder = tmp_path / "latest.h5", tmp_path / "latest"
    link.symlink_to(Path("runs") / "a" / "run.h5")
    folder.symlink_to(run)
    whole = analyse(run, tmp_path / "whole")[0].averages["activity"]
    for given in (link, folder):
        assert analyse(given, tmp_path / "seen")[0].averages["activity"] == whole
        assert [path.resolve().parent for path in export(given)][:1] == [run / "export"]
        with_state(given)
    analyse(link)
    assert (run / "analysis.h5").exists()  # beside the run, not beside the link
    assert main(["watch", "--once", str(link)]) == 0


def test_a_copy_without_segments_is_named_so(tmp_path, run):
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(run / "run.h5", alone)
    expected = r"refers to segments/00000\d\.h5, which is not beside it.*copy the whole directory"
    for read, error in ((RunFile, AnalysisError), (export, ConfigError), (with_state, ConfigError)):
        with pytest.raises(error, match=expected) as caught:
            read(alone)
        assert "damaged" not in str(caught.value)
    shutil.copy(run / "checkpoint.h5", alone)
    with pytest.raises(ConfigError, match=expected):
        Simulation.resume(alone, ["time.duration=9.0"]).run(progress=False)


def test_missing_files_are_reported_in_plain_words(tmp_path):
    dangling = tmp_path / "dangling.h5"
    dangling.symlink_to("nowhere.h5")
    for path, expected in (
        (tmp_path / "none.h5", "there is no such file"),
        (dangling, "it is a link to nowhere.h5, which does not exist"),
    ):
        for read in (export, with_state):
            with pytest.raises(ConfigError, match=expected) as caught:
                read(path)
            assert "errno" not in str(caught.value).lower()


def test_what_commands_say_of_runs_before_and_after_their_measurement(launch, tmp_path, run):
    warm = from_mapping(SMALL | {"time": {"step": 0.05, "warmup": 4.0, "duration": 1.0}})
    early = Simulation(warm)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Course, "total_steps", property(lambda self: 40))
        early.run(tmp_path / "early", progress=False)
    turns = [["info"], ["resume", str(run)], ["analyse", str(tmp_path / "early")]]
    script = Path(commands_in_turn.__file__)
    done = launch(str(script), json.dumps(turns), cwd=tmp_path)
    info, resumed, analysed = done.stdout.split("--- exit code 0")[:3]
    assert "mpi4py-fft" in info
    assert "it is complete: nothing is left to do; to go further: epmpi resume" in resumed
    not_ended = "the warm-up has not ended, or the run was stopped in it"
    missing = [line for line in analysed.splitlines() if line.startswith("missing: ")]
    assert f"missing: no series of activity ({not_ended})" in missing
    assert f"missing: no fields ({not_ended}): no stress map, P(sigma), C_sigma(t)" in missing
    [none] = [line for line in missing if "no trajectory" in line]
    assert "(output.trajectory_every)" in none  # the key is 0


def test_the_bare_command_shows_its_help(capsys):
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    assert "usage: epmpi" in (said := capsys.readouterr().out)
    assert "analyse" in said


def test_where_nothing_can_be_written_another_directory_is_suggested(tmp_path, run):
    """A file in the place of the directory refuses whoever runs the tests."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(
        AnalysisError, match=r"cannot write to .*; choose another directory with -o"
    ):
        analyse(run, tmp_path / "taken")
    for number in (errno.EROFS, errno.EACCES):
        assert reason(OSError(number, "")).endswith("write to another directory with -o")
