"""Values and paths that people give and that led to tracebacks: one line, exit code 2."""

import os
import stat

import pytest

from epmpi.campaign.runs import mpiexec
from epmpi.cli import main
from epmpi.config import ConfigError

SMALL = """
[lattice]
shape = [37, 37]
[tracers]
number = 10
[time]
warmup = 0.0
duration = 1.0
[output]
fields_every = 0.5
"""
LONG = "x" * 300


@pytest.fixture
def small(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(SMALL)
    return tmp_path


READERS = (["watch", "--once"], ["analyse"], ["resume"], ["export"])


@pytest.mark.parametrize(
    ("command", "name"),
    [
        *((command, name) for command in READERS for name in (LONG, "closed/run")),
        (["run", "small.toml", "-o"], LONG),
        (["run"], LONG),
    ],
)
def test_a_path_that_cannot_be_reached(small, monkeypatch, capsys, command, name):
    look = os.stat

    def refused(path, *arguments, **options):
        """Be a directory of mode 700 of another user, for root may look anywhere."""
        if not isinstance(path, int) and os.fspath(path) == name == "closed/run":
            raise PermissionError(13, "Permission denied", name)
        return look(path, *arguments, **options)

    monkeypatch.setattr(os, "stat", refused)
    assert main([*command, name]) == 2
    said = capsys.readouterr().err
    assert name[:50] in said
    assert "File name too long" in said or "Permission denied" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("changes", "printed"),
    [
        (["run.fft=vector"], 'run.fft = "vector": no plan for lines of 37 sites'),
        (["initial.state=gaussian", "initial.stress_deviation=1e200"], ">= 0 and < 1e+100"),
    ],
)
def test_a_value_that_cannot_be_run(small, capsys, changes, printed):
    words = [word for change in changes for word in ("--set", change)]
    assert main(["run", "small.toml", "-o", "run", *words]) == 2
    [line] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("epmpi: ")]
    assert printed in line
    assert not (small / "run").exists()


def test_events_without_a_strain_are_analysed(small, capsys):
    changes = ["--set", "model.event_strain=0", "--set", "model.temperature=1"]
    assert main(["run", "small.toml", "-o", "run", *changes]) == 0
    assert main(["analyse", "run"]) == 0
    assert (small / "run" / "stress_map.png").exists()


def test_the_launcher_that_is_given(tmp_path, monkeypatch):
    program = tmp_path / "my programs" / "mpirun"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    for given, command in (
        (str(program), [str(program)]),
        (f"'{program}' --flag", [str(program), "--flag"]),
        ("sh -c", ["sh", "-c"]),
    ):
        monkeypatch.setenv("MPIEXEC", given)
        assert mpiexec() == command
    for given in ("/no/such/mpirun", " ", f"{program} --flag"):
        monkeypatch.setenv("MPIEXEC", given)
        with pytest.raises(ConfigError, match="names no program"):
            mpiexec()
