"""The commands: one file for each group of them.

An error that a user can fix gives one line and the same exit code on all ranks
(`epmpi.host.exits`); an error in the program gives a traceback, and aborts all ranks.
"""

from __future__ import annotations

import argparse
import errno
import io
import platform
import signal
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout

import epmpi
from epmpi.cli import campaigns, completion, machine, results, simulate
from epmpi.config import ConfigError
from epmpi.host import signals
from epmpi.host.console import Forgiving, say
from epmpi.host.exits import INTERRUPTED, MEMORY_ERROR, OUTPUT_ERROR, STATE_ERROR, USER_ERROR
from epmpi.model.state import StateError
from epmpi.output import OutputError
from epmpi.parallel import Communicator, abort_on_exception, foreign_launcher, launched, load

GROUPS = (simulate, results, campaigns, machine, completion)  # each adds its commands to the parser

# Errors of paths that cannot be reached.
UNREACHABLE = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR)
PATIENCE = 10.0  # seconds that a rank waits for the others to fail alike
EXIT_CODES: dict[type[Exception], int] = {
    ConfigError: USER_ERROR,
    OutputError: OUTPUT_ERROR,
    StateError: STATE_ERROR,
}


def carry_out(arguments: Sequence[str] | None) -> int:
    """Run one command; return its exit code, the same on all ranks."""
    launch = launched()
    chosen = _parse(arguments, silent=launch.rank > 0)
    if not chosen.stops:
        signals.release()
    communicator = Communicator()  # this process; MPI is left alone by commands that take one rank
    ending = communicator
    try:
        if not chosen.alone:
            communicator = _all_ranks()
            ending = communicator.duplicate()
        elif launch.size > 1:
            raise ConfigError(f"{chosen.name} runs on 1 rank, got {launch.size}: {chosen.alone}")
        code: int = chosen.command(chosen, communicator)
        sys.stdout.flush()
        if chosen.prints and isinstance(sys.stdout, Forgiving) and (lost := sys.stdout.lost):
            say(f"epmpi: cannot write standard output: {lost.strerror}")
            return OUTPUT_ERROR
        return code
    except tuple(EXIT_CODES) as error:
        return _end(str(error), EXIT_CODES[type(error)], communicator, ending)
    except OSError as error:
        if error.errno not in UNREACHABLE or error.filename is None:
            raise
        name = str(error.filename)[:200]
        line = f"{name!r} cannot be reached: {error.strerror}; check the path and its permissions"
        return _end(line, USER_ERROR, communicator, ending)
    except KeyboardInterrupt:
        return _interrupted(communicator, launch.rank)
    except MemoryError as error:
        where = f"rank {communicator.rank} of {communicator.size}"
        print(f"epmpi: {where}: {error or 'out of memory'}", file=sys.stderr, flush=True)
        if communicator.size > 1:  # this rank may be the only one
            communicator.abort(MEMORY_ERROR)
        return MEMORY_ERROR
    except Exception:
        if signals.take_received() != signal.SIGINT:
            raise
        return _interrupted(communicator, launch.rank)  # a library has made an error of it


def _interrupted(communicator: Communicator, rank: int) -> int:
    """End after Ctrl-C with one line; return the exit code."""
    if rank == 0:
        print("epmpi: interrupted", file=sys.stderr, flush=True)
    if communicator.size > 1:  # this rank may be the only one
        communicator.abort(INTERRUPTED)
    return INTERRUPTED


def _end(line: str, code: int, communicator: Communicator, ending: Communicator) -> int:
    """Print the error, once if all ranks fail alike, else abort all ranks; return the exit code."""
    if not ending.come_together(PATIENCE):
        where = f"rank {communicator.rank} of {communicator.size}, on {platform.node()}"
        say(f"epmpi: {where}: {line}")
        communicator.abort(code)
    if communicator.rank == 0 and (communicator.size > 1 or launched().rank == 0):
        say(f"epmpi: {line}")
    return code


def _all_ranks() -> Communicator:
    """Return the communicator of all ranks, which aborts them all if one fails.

    Raises
    ------
    ConfigError
        Where the launcher is not that of the MPI library.
    """
    communicator = Communicator.world()
    abort_on_exception(communicator)
    if problem := foreign_launcher(communicator.size):
        raise ConfigError(problem)
    if missing := load()[1]:
        print(f"epmpi: {missing}; until then there is one rank", file=sys.stderr, flush=True)
    return communicator


def _parse(arguments: Sequence[str] | None, *, silent: bool) -> argparse.Namespace:
    """Parse the arguments; one process alone prints help and usage errors."""
    given = sys.argv[1:] if arguments is None else arguments
    parser, nothing = command_parser(), io.StringIO()
    if silent:
        with redirect_stderr(nothing), redirect_stdout(nothing):
            return parser.parse_args(given)
    if not given:
        parser.print_help()
        raise SystemExit(USER_ERROR)
    return parser.parse_args(given)


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(prog="epmpi", description=epmpi.__doc__)
    parser.add_argument(
        "--version", action=machine.Version, help="print version and git revision, and exit"
    )
    commands = parser.add_subparsers(title="commands", required=True, dest="name")
    for group in GROUPS:
        group.add_commands(commands)
    # `parser`: for completion; `alone`: the remedy of commands that refuse several ranks; `prints`:
    # whether the output is the only result; `stops`: whether a signal stops the command cleanly.
    parser.set_defaults(parser=parser, alone="", prints=False, stops=False)
    return parser
