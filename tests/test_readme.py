"""What the README shows runs as it stands there."""

import re
import shlex
from pathlib import Path

from epmpi.cli import command_parser

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_python_program_runs(launch, tmp_path):
    [program] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(program.strip().splitlines()) <= 12
    (tmp_path / "program.py").write_text(program)
    done = launch("program.py", ranks=None, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"activity .*0\.0\d", done.stdout)
    assert (tmp_path / "runs" / "small" / "run.h5").exists()


def test_the_commands_exist():
    lines = re.findall(r"^    epmpi (.*)", README, re.MULTILINE)
    assert len(lines) >= 4
    names = {"CONFIG.toml": "a.toml", "RUN": "runs/a", "DIR": "out", "...": ""}
    for line in lines:
        words = line.split("#")[0].replace("[", "").replace("]", "")
        for name, value in names.items():
            words = words.replace(name, value)
        command_parser().parse_args(shlex.split(words))


def test_files_that_are_linked_exist():
    root = Path(__file__).parent.parent
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (root / target).exists(), target
