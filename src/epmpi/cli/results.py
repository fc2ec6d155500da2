"""epmpi analyse, export: what a run has left."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console

from epmpi.config import ConfigError
from epmpi.output import export
from epmpi.parallel import Communicator


def add_commands(commands: Any) -> None:
    """Add the parsers of these commands."""
    analyse = commands.add_parser("analyse", help="numbers, plots and a table from run files")
    analyse.add_argument("runs", nargs="+", type=Path, help="RUN directory or run.h5")
    analyse.add_argument(
        "-o", "--output", type=Path, help="where to write (default: beside the run)"
    )
    analyse.set_defaults(command=_analyse)

    exported = commands.add_parser("export", help="series as CSV, fields for ParaView (XDMF)")
    exported.add_argument("run", type=Path, help="RUN directory or run.h5")
    exported.add_argument("-o", "--output", type=Path, help="where to write (default: RUN/export)")
    exported.set_defaults(command=_export)


def _analyse(chosen: argparse.Namespace, communicator: Communicator) -> int:
    # Imported here: it loads matplotlib, which the ranks of a run need not.
    from epmpi.analysis import AnalysisError, analyse

    try:
        analyse(chosen.runs, chosen.output, Console(), communicator)
    except AnalysisError as error:
        raise ConfigError(str(error)) from error
    return 0


def _export(chosen: argparse.Namespace, communicator: Communicator) -> int:
    if communicator.size > 1:
        raise ConfigError(f"export runs on 1 rank, got {communicator.size}: leave mpiexec out")
    for path in export(chosen.run, chosen.output):
        print(path)
    return 0
