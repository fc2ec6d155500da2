"""Packages that make installs: only those needed for its target."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize(
    ("target", "extras"),
    [
        ("demo", {"mpi"}),
        ("venv", {"mpi"}),
        ("test", {"mpi", "test"}),
        ("lint", {"mpi", "lint"}),
        ("test-faults", {"mpi", "test", "fuzz"}),
        ("develop", {"mpi", "test", "lint", "fuzz"}),
    ],
)
def test_a_target_installs_what_it_needs(target, extras, tmp_path):
    command = ["make", "--dry-run", target, f"VENV={tmp_path / 'venv'}"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"--editable '\.\[(.*?)\]'", said)
    assert set(",".join(found).split(",")) == extras
