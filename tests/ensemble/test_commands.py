"""Ensembles as a user meets them: commands under mpiexec, signals, errors, what is printed."""

import json
import os
import signal
import subprocess
import time

import h5py
import launching
import pytest

from epmpi.config import load

TOML = """
[lattice]
shape = [16, 12]
[tracers]
number = 10
[time]
warmup = 1.0
duration = 3.0
[output]
series_every = 0.5
trajectory_every = 0.25
[run]
replicas = 4
seed = 3
device = "cpu"
"""
CLI = ("-m", "epmpi.cli")


@pytest.fixture
def small(tmp_path):
    file = tmp_path / "small.toml"
    file.write_text(TOML)
    return file


def finished(run, replicas=4):
    """Return the frames of the trajectory of each replica that has finished."""
    frames = []
    for number in range(replicas):
        with h5py.File(run / f"replica-{number:03d}" / "run.h5") as file:
            assert "finished" in file["parameters"].attrs
            frames.append(file["particles/tracers/position/value"].shape[0])
    return frames


@pytest.mark.parametrize("ranks", [None, pytest.param(3, marks=pytest.mark.ci)])
def test_run_and_analyse(commands, tmp_path, small, ranks):
    (code, printed, progress), (analysed, table, errors) = commands(
        ["run", small, "-o", "out"], ["analyse", "out"], ranks=ranks, cwd=tmp_path
    )
    assert (code, analysed) == (0, 0), progress + errors
    assert printed.count("4 replicas of 16 x 12 sites, 4 to run") == 1
    assert "100 % (320/320 steps)" in progress  # one bar for all
    assert finished(tmp_path / "out") == [13] * 4
    assert load(tmp_path / "out" / "ensemble.toml") == load(small)
    made = [path for path in (tmp_path / "out").iterdir() if path.suffix not in (".h5", ".png")]
    assert sorted(path.name for path in made) == [
        "ensemble.toml", *(f"replica-00{number}" for number in range(4)),
    ]  # fmt: skip
    assert "out: averages" in table
    assert "replicas" in table
    assert (tmp_path / "out" / "analysis.h5").exists()


def test_a_replica_is_what_its_toml_gives_alone(launch, tmp_path, small):
    """By the commands that the documentation gives."""
    done = launch(*CLI, "run", small, "-o", "out", ranks=2, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    changes = ["--set", "run.replicas=1", "--set", f"run.seed={3 + 2 * 2**32}"]
    done = launch(*CLI, "run", small, "-o", "alone", *changes, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with (
        h5py.File(tmp_path / "out" / "replica-002" / "run.h5") as one,
        h5py.File(tmp_path / "alone" / "run.h5") as other,
    ):
        path = "particles/tracers/position/value"
        assert (one[path][()] == other[path][()]).all()


def wait_for(run, process):
    """Wait until two replicas have begun."""
    for _ in range(1200):
        if sum((run / f"replica-00{n}" / "checkpoint.h5").exists() for n in range(4)) >= 2:
            return
        assert process.poll() is None, process.communicate(timeout=60)
        time.sleep(0.1)
    pytest.fail("no two replicas have begun")


def saved_step(run):
    """Return the step of the checkpoint of a run."""
    with h5py.File(run / "checkpoint.h5") as file:
        return json.loads(file["header"][()])["step_count"]


@pytest.mark.slow
def test_a_signal_to_one_rank_stops_all_and_any_ranks_go_on(launch, tmp_path, small):
    """Each rank writes its number; the last one alone gets a signal to stop."""
    program = tmp_path / "run.py"
    program.write_text(
        "import os, sys\n"
        "from pathlib import Path\n"
        "from epmpi.cli import main\n"
        "from epmpi.parallel import Communicator\n"
        "Path(f'rank{Communicator.world().rank}').write_text(str(os.getpid()))\n"
        "sys.exit(main())\n"
    )
    command = launching.python(
        str(program), "run", str(small), "-o", "out", "--set", "time.duration=200000.0", ranks=2
    )
    process = subprocess.Popen(
        command, cwd=tmp_path, env=launching.environment(), stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(tmp_path / "out", process)
        os.kill(int((tmp_path / "rank1").read_text()), signal.SIGUSR1)
        _, said = process.communicate(timeout=120)
    finally:
        if process.poll() is None:
            launching.end(process)
    assert process.returncode == 75, said
    assert said.count("stopped (SIGUSR1) with 0 of 4 replicas finished") == 1
    assert not (tmp_path / "out" / "replica-003").exists()
    step = saved_step(tmp_path / "out" / "replica-001")
    for limit in (4, 16, 64):  # on a busy machine the start alone takes seconds, which is reported
        changes = "--set", "time.duration=200000.0", "--set", f"run.walltime={limit}"
        done = launch(*CLI, "resume", "out", *changes, ranks=3, cwd=tmp_path)
        if "after one step: the time limit leaves no time" not in done.stderr:
            break
        assert done.returncode == 2, done.stderr
    assert done.returncode == 75, done.stderr
    assert "stopped (time limit)" in done.stderr
    assert saved_step(tmp_path / "out" / "replica-001") > step


def test_a_mistake_gives_one_line_and_exit_code_2_and_changes_nothing(commands, tmp_path, small):
    mistakes = {
        ("run.seed=4294967296",): "below 2^32",
        ("run.replicas=0",): "run.replicas = 0",
        ("lattice.shape=[4, 4]", "run.replicas=1"): "3 ranks",
        ("initial.state=nowhere/run.h5",): "replica-000: initial.state",
    }
    lines = [
        ["run", small, "-o", "out", *(word for change in changes for word in ("--set", change))]
        for changes in mistakes
    ]
    found = commands(*lines, ranks=3, cwd=tmp_path)
    for (code, _, errors), expected in zip(found, mistakes.values(), strict=True):
        assert code == 2, errors
        [line] = [line for line in errors.splitlines() if line.strip()]
        assert line.startswith("epmpi: ")
        assert expected in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small.toml"]


def test_too_many_ranks_for_the_replicas(launch, tmp_path, small):
    changes = ["--set", "lattice.shape=[4, 4]", "--set", "run.replicas=2"]
    done = launch(*CLI, "run", small, "-o", "out", *changes, ranks=5, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "a replica would have 3 ranks, expected at most 2" in done.stderr


def test_dry_run_tells_of_all_replicas(commands, tmp_path, small):
    found = commands(["run", "--dry-run", small, "--set", "run.replicas=1"],
        ["run", "--dry-run", small, "--set", "run.replicas=5"],
        ranks=2, cwd=tmp_path)  # fmt: skip
    (one, alone, _), (many, together, errors) = found
    assert one == many == 0, errors
    assert "for 3 x 80 steps" in together
    assert "for 80 steps" in alone
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small.toml"]


def test_commands_for_single_runs_name_a_replica(commands, tmp_path, small):
    single = (["export", "out"], ["resume", "out", "--previous"])
    of_replica = [[line[0], "out/replica-001", *line[2:]] for line in single]
    found = commands(["run", small, "-o", "out"], *single, *of_replica, cwd=tmp_path)
    assert found[0][0] == 0, found[0][2]
    for code, _, errors in found[1:3]:
        assert code == 2, errors
        assert "is an ensemble: give a replica, such as out/replica-000" in errors
    for code, _, errors in found[3:]:
        assert code == 0, errors
    watched, resumed = commands(["watch", "out"], ["resume", "out"], cwd=tmp_path)
    assert watched[0] == resumed[0] == 0, watched[2] + resumed[2]
    assert "4 of 4 finished" in watched[1]
    assert "0 to run" in resumed[1]  # nothing is left


def test_any_ranks_resume_a_finished_ensemble(commands, tmp_path, small):
    found = commands(["run", small, "-o", "out"], ["resume", "out"], ranks=2, cwd=tmp_path)
    assert [code for code, _, _ in found] == [0, 0], found
    assert "0 to run" in found[1][1]
