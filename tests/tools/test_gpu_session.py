"""What a session on a GPU needs is what its head tells to bring."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = {"pytest", "pytest-mpi", "pytest-xdist", "hypothesis"}  # those that it takes along
FUSED = {"nvidia-mathdx"}
BROUGHT = {"numba"}  # by numba-cuda


def test_its_head_names_all_wheels():
    """Those of the package, of MPI and of CUDA 13, with the versions that may not be newer."""
    head = (ROOT / "tools" / "gpu_session.sh").read_text().split("\nset -")[0]
    lines = re.findall(r"^#   (?!make)(.+)$", head, re.MULTILINE)
    listed = " ".join(lines).replace("'", "").split()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    needed = [*project["dependencies"], *extras["mpi"], *extras["cuda13"]]
    names = {re.split("[<>=]", word)[0] for word in needed}
    assert {re.split("<", word)[0] for word in listed} == (names | TESTS | FUSED) - BROUGHT
    limited = {word for word in needed if "<" in word}
    assert limited == {word for word in listed if "<" in word} == {"numpy<2.5"}
