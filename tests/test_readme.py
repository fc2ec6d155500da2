"""The code of the README runs unchanged."""

import os
import re
import shlex
import sys
from pathlib import Path

import launching
import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHORT = """
[lattice]
shape = [16, 16]
[tracers]
number = 20
[time]
warmup = 1.0
duration = 20.0
[output]
trajectory_every = 0.5
fields_every = 1.0
"""


@pytest.mark.ci
def test_the_python_program_runs(launch, tmp_path):
    [program] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(program.strip().splitlines()) <= 12
    (tmp_path / "program.py").write_text(program)
    done = launch("program.py", ranks=None, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"activity .*0\.0\d", done.stdout)
    assert (tmp_path / "runs" / "small" / "run.h5").exists()


@pytest.mark.ci
def test_the_commands_run(tmp_path):
    """Those of the first block, one after the other, with a short quick start."""
    [block] = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = [line.split("#")[0] for line in block.splitlines()]
    assert len(lines) >= 4
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "quickstart.toml").write_text(SHORT)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    launcher = shlex.join(launching.mpiexec())
    for line in lines:
        words = shlex.split(re.sub(r"^mpiexec", launcher, line))
        env = launching.environment(PATH=path)
        done = launching.run(words, timeout=240.0, env=env, cwd=tmp_path)
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    assert (tmp_path / "runs" / "first" / "report.html").exists()


def test_it_is_two_screens():
    assert len(README.splitlines()) <= 120


def test_the_targets_of_make_exist():
    rules = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^    make (\w+)|`make (\w+)`", README, re.MULTILINE)
    assert len(targets) >= 3
    for target in targets:
        assert re.search(rf"^{''.join(target)}:", rules, re.MULTILINE), target


def test_files_that_are_named_exist():
    linked = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    named = re.findall(r"`((?:examples|jobs|tools|tests|benchmarks|containers)/[^`\s]*)`", README)
    assert len(linked) > 10 and len(named) > 2
    for target in linked + named:
        assert (ROOT / target).exists(), target
