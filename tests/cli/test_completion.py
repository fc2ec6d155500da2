"""epmpi completion: what each shell offers once it has read the script."""

import shutil
import subprocess

import pytest

from epmpi.cli.commands import command_parser
from epmpi.cli.completion import SHELLS, script

BASH = """
source {script}
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMPREPLY=()
_shtab_epmpi epmpi "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD-1]}}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
CASES = [
    ("epmpi res", {"resume"}, {"run"}),
    ("epmpi run --d", {"--dry-run"}, {"--previous"}),
    ("epmpi completion ''", set(SHELLS), {"tcsh"}),
    ("epmpi run a.toml --set model.temp", {"model.temperature="}, {"model.activity="}),
    ("epmpi run ''", {"a.toml"}, set()),
    ("epmpi resume ''", {"runs"}, {"a.toml"}),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give a directory with the scripts, a configuration and a directory of runs."""
    here = tmp_path_factory.mktemp("shell")
    for shell in SHELLS:
        (here / shell).write_text(script(command_parser(), shell))
    (here / "a.toml").touch()
    (here / "runs").mkdir()
    return here


def printed(shell, program, folder):
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    line = [shell, *(["--no-config"] if shell == "fish" else []), "-c", program]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(("words", "offered", "absent"), CASES)
def test_bash(folder, words, offered, absent):
    found = printed("bash", BASH.format(script=folder / "bash", words=words), folder)
    words = {word.rstrip("/") for word in found.splitlines()}
    assert offered <= words and not absent & words, words


@pytest.mark.parametrize(("words", "offered", "absent"), CASES)
def test_fish(folder, words, offered, absent):
    line = words.removesuffix("''")
    found = printed("fish", f"source {folder / 'fish'}; complete -C '{line}'", folder)
    words = {word.split("\t")[0].rstrip("/") for word in found.splitlines()}
    assert offered <= words and not absent & words, words


def test_zsh_reads_the_script(folder):
    """And binds the function that it defines; what it offers needs an interactive shell."""
    read = f'autoload -U compinit; compinit -D; eval "$(<{folder / "zsh"})"'
    bound = printed("zsh", f"{read}; whence -w _shtab_epmpi; print $_comps[epmpi]", folder)
    assert bound == "_shtab_epmpi: function\n_shtab_epmpi\n"


def test_the_command_prints_the_script(launch):
    done = launch("-m", "epmpi.cli", "completion", "bash")
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip("\n") == script(command_parser(), "bash").rstrip("\n")
    assert launch("-m", "epmpi.cli", "completion", "csh").returncode == 2
