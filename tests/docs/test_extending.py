"""The worked examples of docs/extending.md, applied to a copy of the source and run there."""

import shutil
from pathlib import Path

import pytest
from patches import apply_patch, blocks

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "extending.md"


@pytest.mark.ci
def test_a_rule_and_a_propagator_are_added_as_the_page_says(launch, tmp_path):
    """In one copy, so that the loops are compiled once."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src" / "epmpi", tmp_path / "src" / "epmpi", ignore=ignore)
    patches, programs = blocks(PAGE, "diff"), blocks(PAGE, "python")
    assert len(patches) == len(programs) == 2
    for patch in patches:
        apply_patch(patch, tmp_path)
    text = "import epmpi\nassert epmpi.__file__.startswith({!r}), epmpi.__file__\n"
    program = text.format(str(tmp_path)) + "\n".join(programs)
    (tmp_path / "program.py").write_text(program)
    paths = {"PYTHONPATH": str(tmp_path / "src"), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    done = launch("program.py", ranks=None, cwd=tmp_path, timeout=600.0, **paths)
    assert done.returncode == 0, done.stderr
