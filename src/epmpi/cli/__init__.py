"""The command line: one file for each group of commands.

One error line, alike from all ranks, for what a user can mend; a traceback and an abort of all
ranks for what only a developer can.  Exit codes stand in `epmpi.exits`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout

import epmpi
from epmpi.cli import campaigns, completion, machine, results, simulate
from epmpi.config import ConfigError
from epmpi.exits import MEMORY_ERROR, OUTPUT_ERROR, STATE_ERROR, USER_ERROR
from epmpi.output import OutputError
from epmpi.parallel import Communicator, abort_on_exception, foreign_launcher
from epmpi.state import StateError

GROUPS = (simulate, results, campaigns, machine, completion)  # each adds its commands to the parser

EXIT_CODES: dict[type[Exception], int] = {
    ConfigError: USER_ERROR,
    OutputError: OUTPUT_ERROR,
    StateError: STATE_ERROR,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code, the same on all ranks."""
    communicator = Communicator.world()
    abort_on_exception(communicator)
    try:
        if problem := foreign_launcher(communicator):
            raise ConfigError(problem)
        chosen = _parse(arguments, communicator)
        if communicator.size > 1 and chosen.alone:
            raise ConfigError(
                f"{chosen.name} runs on 1 rank, got {communicator.size}: {chosen.alone}"
            )
        return chosen.command(chosen, communicator)
    except tuple(EXIT_CODES) as error:
        if communicator.is_root:
            print(f"epmpi: {error}", file=sys.stderr, flush=True)
        return EXIT_CODES[type(error)]
    except MemoryError as error:
        where = f"rank {communicator.rank} of {communicator.size}"
        print(f"epmpi: {where}: {error or 'out of memory'}", file=sys.stderr, flush=True)
        if communicator.size > 1:  # this rank may be the only one
            communicator.abort(MEMORY_ERROR)
        return MEMORY_ERROR


def _parse(arguments: Sequence[str] | None, communicator: Communicator) -> argparse.Namespace:
    """Parse the arguments; help and usage errors are printed by the root alone."""
    if communicator.is_root:
        return command_parser().parse_args(arguments)
    with open(os.devnull, "w") as silent, redirect_stderr(silent), redirect_stdout(silent):
        return command_parser().parse_args(arguments)


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; what it returns has the function of the command."""
    parser = argparse.ArgumentParser(prog="epmpi", description=epmpi.__doc__)
    parser.add_argument(
        "--version", action=machine.Version, help="tell version and git revision, and exit"
    )
    commands = parser.add_subparsers(title="commands", required=True, dest="name")
    for group in GROUPS:
        group.add_commands(commands)
    # What completion describes; what to do about several ranks, in commands that refuse them.
    parser.set_defaults(parser=parser, alone="")
    return parser
