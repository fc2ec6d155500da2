"""epmpi completion: a script with which a shell completes commands, options, files and keys."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from epmpi.config import describe
from epmpi.parallel import Communicator

SHELLS = ("bash", "zsh", "fish")
DIRECTORIES = ("run", "runs", "output")  # arguments that are completed to directories alone


def add_commands(commands: Any) -> None:
    """Add the parser of this command."""
    completion = commands.add_parser("completion", help="a completion script for bash, zsh or fish")
    completion.add_argument("shell", choices=SHELLS)
    completion.set_defaults(command=_completion, alone="leave mpiexec out", prints=True)


def _completion(chosen: argparse.Namespace, communicator: Communicator) -> int:
    print(script(chosen.parser, chosen.shell))
    return 0


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the script; a shell that has read it needs no Python to complete.

    Parameters
    ----------
    parser : ArgumentParser
        Of all commands.
    shell : str
        One of `SHELLS`.
    """
    import shtab  # no other command needs it

    # A key is completed with its "=": the value follows.
    keys = shtab.cmd("printf '%s\\n' " + " ".join(f"{i.section}.{i.key}=" for i in describe()))
    for command in _parsers(parser):
        for action in command._actions:
            if action.dest == "overrides":
                action.complete = keys  # type: ignore[attr-defined]
            elif action.type is Path:
                directory = action.dest in DIRECTORIES
                complete = shtab.DIRECTORY if directory else shtab.FILE
                action.complete = complete  # type: ignore[attr-defined]
    return str(shtab.complete(parser, shell))


def _parsers(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Return a parser and those of its commands."""
    groups = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return [parser, *(command for group in groups for command in group.choices.values())]
