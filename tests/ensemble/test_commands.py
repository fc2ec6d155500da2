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


@pytest.mark.parametrize("ranks", [None, 3])
def test_run_and_analyse(launch, tmp_path, small, ranks):
    done = launch(*CLI, "run", small, "-o", "out", ranks=ranks, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("4 replicas of 16 x 12 sites, 4 to run") == 1
    assert "100 % (320/320 steps)" in done.stderr  # one bar for all
    assert finished(tmp_path / "out") == [13] * 4
    assert load(tmp_path / "out" / "ensemble.toml") == load(small)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "ensemble.toml", *(f"replica-00{number}" for number in range(4)),
    ]  # fmt: skip
    done = launch(*CLI, "analyse", "out", ranks=ranks, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "out: averages" in done.stdout
    assert "replicas" in done.stdout
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
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    pytest.fail("no two replicas have begun")


def saved_step(run):
    """Return the step of the checkpoint of a run."""
    with h5py.File(run / "checkpoint.h5") as file:
        return json.loads(file["header"][()])["step_count"]


@pytest.mark.slow
def test_a_signal_to_one_rank_stops_all_and_any_ranks_go_on(tmp_path, small):
    """Each rank writes its number; the last one alone is told to stop."""
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
        command, cwd=tmp_path, env=launching.environment(), stderr=subprocess.PIPE, text=True
    )
    wait_for(tmp_path / "out", process)
    os.kill(int((tmp_path / "rank1").read_text()), signal.SIGUSR1)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 75, said
    assert said.count("stopped (SIGUSR1) with 0 of 4 replicas finished") == 1
    assert not (tmp_path / "out" / "replica-003").exists()
    step = saved_step(tmp_path / "out" / "replica-001")
    done = launching.run(
        launching.python(*CLI, "resume", "out", "--set", "time.duration=200000.0", "--set",
                         "run.walltime=4", ranks=3),
        timeout=240, env=launching.environment(), cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 75, done.stderr
    assert "stopped (time limit)" in done.stderr
    assert saved_step(tmp_path / "out" / "replica-001") > step


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--set", "run.seed=4294967296"], "below 2^32"),
        (["--set", "run.replicas=0"], "run.replicas = 0"),
        (["--set", "lattice.shape=[4, 4]", "--set", "run.replicas=1"], "3 ranks"),
        (["--set", "initial.state=nowhere/run.h5"], "replica-000: initial.state"),
    ],
)
def test_a_mistake_gives_one_line_and_exit_code_2_and_changes_nothing(
    launch, tmp_path, small, arguments, expected
):
    done = launch(*CLI, "run", small, "-o", "out", *arguments, ranks=3, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.strip()]
    assert line.startswith("epmpi: ")
    assert expected in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small.toml"]


def test_too_many_ranks_for_the_replicas(launch, tmp_path, small):
    changes = ["--set", "lattice.shape=[4, 4]", "--set", "run.replicas=2"]
    done = launch(*CLI, "run", small, "-o", "out", *changes, ranks=5, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "a replica would have 3 ranks, expected at most 2" in done.stderr


def test_dry_run_tells_of_all_replicas(launch, tmp_path, small):
    one = launch(*CLI, "run", "--dry-run", small, "--set", "run.replicas=1", cwd=tmp_path)
    many = launch(*CLI, "run", "--dry-run", small, "--set", "run.replicas=5", ranks=2,
                  cwd=tmp_path)  # fmt: skip
    assert one.returncode == many.returncode == 0, many.stderr
    assert "for 3 x 80 steps" in many.stdout
    assert "for 80 steps" in one.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small.toml"]


def test_commands_for_single_runs_name_a_replica(launch, tmp_path, small):
    done = launch(*CLI, "run", small, "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for arguments in (["watch", "out"], ["export", "out"], ["resume", "out", "--previous"]):
        done = launch(*CLI, *arguments, cwd=tmp_path)
        assert done.returncode == 2, done.stderr
        assert "is an ensemble: give a replica, such as out/replica-000" in done.stderr
        done = launch(*CLI, arguments[0], "out/replica-001", *arguments[2:], cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    done = launch(*CLI, "resume", "out", ranks=2, cwd=tmp_path)  # nothing is left to run
    assert done.returncode == 0, done.stderr
    assert "0 to run" in done.stdout
