"""A file that one rank cannot read ends all, in one line with rank and host, and never hangs."""

import platform

import pytest

SMALL = """
[lattice]
shape = [16, 12]
[tracers]
number = 10
[time]
warmup = 0.0
duration = 4.0
[output]
series_every = 0.5
trajectory_every = 0.25
fields_every = 0.25
"""
# As on a node that does not have the file system: what is named relative to here is not there.
ELSEWHERE = """
import os, sys, tempfile
from epmpi.cli import main
from epmpi.parallel import launched

if launched().rank == 1:
    os.chdir(tempfile.gettempdir())
sys.exit(main(sys.argv[1:]))
"""
LATER = """
import sys
from epmpi.analysis import AnalysisError, RunFile
from epmpi.cli import commands, main
from epmpi.parallel import launched

def series(file, name, warmup=False):
    raise AnalysisError("the disk has gone")

commands.PATIENCE = 1.0
if launched().rank == 1:
    RunFile.series = series
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def run(tmp_path, commands):
    (tmp_path / "small.toml").write_text(SMALL)
    [(code, _, errors)] = commands(["run", "small.toml", "-o", "run"], cwd=tmp_path)
    assert code == 0, errors
    return tmp_path


@pytest.mark.parametrize(
    ("command", "file"),
    [
        (["analyse", "run"], "no run file at run:"),
        (["resume", "run", "--set", "time.duration=5.0"], "run/checkpoint.h5"),
        (["run", "small.toml", "-o", "new", "--set", "initial.state=./run"], "./run"),
    ],
)
def test_one_rank_does_not_see_the_file(launch, run, command, file):
    done = launch("-c", ELSEWHERE, *command, ranks=2, cwd=run, timeout=100)
    assert done.returncode == 2, done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("epmpi: ")]
    assert f"rank 1 of 2, on {platform.node()}: " in line
    assert file in line
    assert "on 1 of 2 ranks: all need a file system that their nodes share" in line
    assert "start the run again" not in line
    assert not (run / "new").exists()


def test_no_rank_sees_it(launch, run):
    for name in ("checkpoint.h5", "checkpoint.previous.h5"):
        (run / "run" / name).unlink()
    for command in (["analyse", "none"], ["resume", "run"]):
        done = launch("-m", "epmpi.cli", *command, ranks=2, cwd=run, timeout=100)
        assert done.returncode == 2, done.stderr
        [line] = done.stderr.splitlines()
        assert "rank" not in line


def test_one_rank_fails_where_the_others_wait_for_it(launch, run):
    """No collective call follows in which they could be informed: they are ended."""
    done = launch("-c", LATER, "analyse", "run", ranks=2, cwd=run, timeout=100)
    assert done.returncode == 2, done.stderr
    assert f"epmpi: rank 1 of 2, on {platform.node()}: the disk has gone" in done.stderr
