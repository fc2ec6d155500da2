"""Provenance of a run."""

import subprocess

import numpy as np
import pytest

from epmpi.config import from_mapping
from epmpi.output import provenance
from epmpi.parallel import Communicator


@pytest.mark.mpi
def test_versions_and_choices(comm):
    found = provenance.collect(from_mapping({}), Communicator(comm), device="cpu", fft="numpy")
    assert found["numpy_version"] == np.__version__
    assert (found["ranks"], found["fft"], found["precision"]) == (comm.size, "numpy", "double")
    assert "\n" not in found["mpi_library"]


def test_revision_is_that_of_a_tracked_file(tmp_path):
    def git(*arguments):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            timeout=60,
        )

    file = tmp_path / "source.py"
    file.write_text("")
    assert provenance.git_revision(file) == "unknown"
    git("init")
    assert provenance.git_revision(file) == "unknown"
    git("add", "source.py")
    git("commit", "-m", "first")
    revision = provenance.git_revision(file)
    assert len(revision) == 40
    file.write_text("changed")
    assert provenance.git_revision(file) == revision + "-dirty"
