"""The last line of every command: where the results are, and a command that can be given next."""

import json
from pathlib import Path

import commands_in_turn
import pytest

from epmpi.cli import main
from epmpi.cli.words import closing
from epmpi.model import expected
from epmpi.run import clock_advice

TINY = "[lattice]\nshape = [16, 12]\n[tracers]\nnumber = 0\n[time]\nwarmup = 0.0\nduration = 2.0\n"
ANALYSE = "results in runs/tiny; next: epmpi analyse runs/tiny"
COMMANDS = {
    "run tiny.toml --dry-run": "nothing was written; next: epmpi run tiny.toml -o runs/tiny",
    "run tiny.toml": ANALYSE,
    "resume runs/tiny --set time.duration=3": ANALYSE,
    "watch --once runs/tiny": ANALYSE,
    "analyse runs/tiny": "results in runs/tiny; next: epmpi analyse runs/tiny --report",
    "analyse runs/tiny --report -o seen": "results in seen; next: epmpi export runs/tiny",
    "export runs/tiny": "results in runs/tiny/export; next: epmpi analyse runs/tiny",
    "info": "nothing was written; next: epmpi run CONFIG.toml",
}


@pytest.mark.parametrize("ranks", [None, 2])
def test_every_command_says_where_and_what_next(launch, tmp_path, ranks):
    (tmp_path / "tiny.toml").write_text(TINY)
    alone = {"watch", "export"} if ranks else set()
    chosen = [words for words in COMMANDS if words.split()[0] not in alone]
    script, listed = Path(commands_in_turn.__file__), [words.split() for words in chosen]
    done = launch(str(script), json.dumps(listed), ranks=ranks, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = (done.stderr + done.stdout).splitlines()
    assert "--- exit code 2" not in lines, done.stderr
    said = [line for line in lines if "; next: epmpi " in line]
    assert sorted(said) == sorted(COMMANDS[words] for words in chosen)


def test_it_is_the_last_line_after_advice_too(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(expected, "expected_activity", lambda configuration: None)
    monkeypatch.setattr(
        clock_advice, "advice", lambda configuration, known: "advice" * (known is not None)
    )
    Path("tiny.toml").write_text(TINY)
    for command in (["run", "tiny.toml"], ["resume", "runs/tiny", "--set", "time.duration=3"]):
        assert main(command) == 0
        assert capsys.readouterr().out.splitlines()[-2:] == ["advice", ANALYSE]


def test_names_are_quoted_and_many_are_counted():
    said = closing(map(Path, "abcde"), ["analyse", Path("my run")])
    assert said == "results in a, b, c and 2 more; next: epmpi analyse 'my run'"
