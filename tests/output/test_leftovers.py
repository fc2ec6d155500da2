"""A run killed before its first checkpoint, and directories that hold nothing: both are taken."""

import os
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from killed_at_start import MOMENTS, kill_at_start

from epmpi.cli import main
from epmpi.config import ConfigError, from_mapping
from epmpi.output import configuration_to_begin, may_begin
from epmpi.run.simulation import Simulation

SETTINGS = {
    "lattice": {"shape": [16, 12]},
    "tracers": {"number": 10},
    "time": {"warmup": 0.0, "duration": 2.0},
    "output": {"fields_every": 1.0},
}
TEXT = """
[lattice]
shape = [16, 12]
[tracers]
number = 10
[time]
warmup = 0.0
duration = 2.0
[output]
fields_every = 1.0
"""


@pytest.fixture(scope="module")
def killed_once(tmp_path_factory):
    """Return a function that gives the directory of a run that was killed at a moment."""
    made = {}

    def at(launch, moment):
        if moment not in made:
            made[moment] = tmp_path_factory.mktemp("killed")
            (made[moment] / "small.toml").write_text(TEXT)
            kill_at_start(launch, made[moment] / "small.toml", moment)
        return made[moment]

    return at


@pytest.fixture(params=MOMENTS, ids=MOMENTS)
def killed(request, launch, killed_once, tmp_path):
    """Return the RUN of a run that was killed with SIGKILL before it had begun."""
    shutil.copytree(killed_once(launch, request.param), tmp_path, dirs_exist_ok=True)
    return tmp_path / "run"


@pytest.fixture
def epmpi(monkeypatch, tmp_path, capsys):
    """Return a function that runs a command there, and gives its exit code and standard error."""

    def run(*arguments):
        monkeypatch.chdir(tmp_path)
        code = main(list(arguments))
        return code, capsys.readouterr().err

    return run


def complete(run):
    """Tell whether a run has reached its end, and is the one that nothing happened to."""
    whole = Simulation(from_mapping(SETTINGS)).run(run.parent / "whole", progress=False)
    with h5py.File(run / "run.h5") as found, h5py.File(whole / "run.h5") as expected:
        same = np.array_equal(found["fields/stress/value"], expected["fields/stress/value"])
        return same and "finished" in found["parameters"].attrs


def test_the_same_command_begins_it_anew(epmpi, killed):
    code, said = epmpi("run", "small.toml", "-o", "run")
    assert code == 0, said
    assert complete(killed)


@pytest.mark.ci
def test_the_same_command_begins_it_anew_on_ranks(launch, killed):
    command = ("-m", "epmpi.cli", "run", "small.toml", "-o", "run")
    done = launch(*command, ranks=2, cwd=killed.parent)
    assert done.returncode == 0, done.stderr
    assert complete(killed)


def test_resume_begins_it_anew_where_its_configuration_is_known(epmpi, killed):
    known = (killed / "run.h5").exists()
    code, said = epmpi("resume", "run", "--set", "output.checkpoint_every=60")
    if known:
        assert code == 0, said
        assert "it starts again" in said
        assert complete(killed)
    else:
        assert code == 2
        [line] = said.splitlines()
        assert "begin it with epmpi run CONFIG.toml -o run" in line
        assert may_begin(killed)


def test_resume_changes_no_other_key(epmpi, killed):
    before = sorted(os.listdir(killed))
    assert epmpi("resume", "run", "--set", "model.temperature=0.3")[0] == 2
    assert sorted(os.listdir(killed)) == before


def test_python_takes_the_directory_too(killed):
    with pytest.raises(ConfigError, match="had not begun: run it again, in the same directory"):
        Simulation.resume(killed)
    Simulation(from_mapping(SETTINGS)).run(killed, progress=False)
    assert complete(killed)


@pytest.mark.parametrize("replicas", [1, 2])
@pytest.mark.parametrize("made", ["run", "deep/er/run", "link"])
def test_an_empty_directory_is_taken(epmpi, tmp_path, made, replicas):
    """As mkdir -p, or a workflow's manager, makes it."""
    (tmp_path / "small.toml").write_text(TEXT)
    target = tmp_path / ("elsewhere" if made == "link" else made)
    target.mkdir(parents=True)
    if made == "link":
        (tmp_path / made).symlink_to(target)
    code, said = epmpi("run", "small.toml", "-o", made, "--set", f"run.replicas={replicas}")
    assert code == 0, said
    assert list(target.rglob("checkpoint.h5"))


@pytest.mark.parametrize("name", ["notes.txt", "analysis.h5", ".nfs0001"])
def test_a_directory_with_anything_else_is_left_alone(epmpi, killed, name):
    (killed / name).write_text("precious")
    before = sorted(os.listdir(killed))
    code, said = epmpi("run", "small.toml", "-o", "run")
    assert code == 2
    assert f"without a run, and has other files in it, such as {name}" in said
    assert sorted(os.listdir(killed)) == before


@pytest.mark.parametrize("replicas", [1, 2])
def test_what_is_said_of_a_path_without_a_run_can_be_done(epmpi, tmp_path, replicas):
    """A directory with files of the user alone, and a file."""
    (tmp_path / "small.toml").write_text(TEXT)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("precious")
    several = ("--set", f"run.replicas={replicas}")
    for path, printed in (("mine", "such as notes.txt"), ("small.toml", "is no directory")):
        code, said = epmpi("run", "small.toml", "-o", path, *several)
        assert code == 2
        assert printed in said
        assert "resume" not in said
    code, said = epmpi("resume", "mine")
    assert code == 2
    assert "no run has begun there: begin it with epmpi run, in another directory" in said


def test_frames_without_a_checkpoint_are_never_removed(tmp_path):
    run = Simulation(from_mapping(SETTINGS)).run(tmp_path / "run", progress=False)
    for checkpoint in run.glob("checkpoint*"):
        checkpoint.unlink()
    assert not may_begin(run)
    assert configuration_to_begin(run) is None
    with pytest.raises(ConfigError, match="exists"):
        Simulation(from_mapping(SETTINGS)).run(run, progress=False)


def test_a_file_that_cannot_be_read_is_never_removed(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.h5").write_text("no HDF5")
    assert not may_begin(tmp_path / "run")


def test_a_living_run_that_has_not_begun_is_left_alone(launch, tmp_path):
    """It holds the lock before it makes anything."""
    (tmp_path / "small.toml").write_text(TEXT)
    script = (
        "import subprocess, sys\n"
        "from epmpi import cli\n"
        "from epmpi.output import store\n"
        "def other(*arguments):\n"
        "    print(subprocess.run([sys.executable, '-m', 'epmpi.cli', *sys.argv[1:]],"
        " capture_output=True, text=True).stderr)\n"
        "    raise SystemExit(0)\n"
        "store.write_checkpoint = other\n"
        "cli.main(['run', 'small.toml', '-o', 'run'])\n"
    )
    for command in (["run", "small.toml", "-o", "run"], ["resume", "run"]):
        done = launch("-c", script, *command, cwd=tmp_path)
        assert "is in use by" in done.stdout, done.stderr
        assert Path(tmp_path / "run").exists()
