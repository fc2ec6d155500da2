"""The launch of the runs of a campaign; scans test that they are carried out."""

import sys
from pathlib import Path

import pytest

from epmpi.campaign import runs
from epmpi.config import ConfigError


def test_the_launcher_is_the_one_that_is_named(monkeypatch, tmp_path):
    folder = tmp_path / "with blanks"
    folder.mkdir()
    launcher = folder / "mpirun"
    launcher.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("MPIEXEC", "mpirun --oversubscribe")
    assert runs.mpiexec() == ["mpirun", "--oversubscribe"]
    monkeypatch.setenv("MPIEXEC", str(launcher))
    assert runs.mpiexec() == [str(launcher)]
    monkeypatch.setenv("MPIEXEC", "srun --mpi=pmix")
    with pytest.raises(ConfigError, match="MPIEXEC = 'srun --mpi=pmix' names no program"):
        runs.mpiexec()


def test_without_a_launcher_the_remedy_is_reported(monkeypatch, tmp_path):
    monkeypatch.delenv("MPIEXEC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ConfigError, match="set --ranks 1, or MPIEXEC"):
        runs.mpiexec()
    beside = Path(tmp_path / "mpiexec")
    beside.touch(mode=0o755)
    assert runs.mpiexec() == [str(beside)]
