"""epmpi watch, analyse, export: the files of a run, finished or running."""

from __future__ import annotations

import argparse
import webbrowser
from pathlib import Path
from typing import Any

from rich.console import Console

from epmpi.cli.words import closing, without_user_style
from epmpi.config import ConfigError
from epmpi.host.console import say
from epmpi.output import export
from epmpi.parallel import Communicator


def add_commands(commands: Any) -> None:
    """Add the parsers of these commands."""
    watch = commands.add_parser("watch", help="progress of a run: a live view in the terminal")
    watch.add_argument("run", type=Path, help="RUN directory or run.h5")
    watch.add_argument("--once", action="store_true", help="a single picture")
    watch.add_argument(
        "--every", type=float, default=2.0, help="seconds between updates (%(default)s)"
    )
    watch.set_defaults(command=_watch, alone="leave mpiexec out")

    analyse = commands.add_parser("analyse", help="numbers, plots and a table from run files")
    analyse.add_argument("runs", nargs="+", type=Path, help="RUN directory or run.h5")
    analyse.add_argument(
        "-o", "--output", type=Path, help="where to write (default: beside the run)"
    )
    analyse.add_argument(
        "--report", action="store_true", help="write an HTML page with all of it too: report.html"
    )
    analyse.add_argument(
        "--open", action="store_true", help="write that page and open it in the browser"
    )
    analyse.set_defaults(command=_analyse)

    exported = commands.add_parser("export", help="CSV, and views for ParaView and MDAnalysis")
    exported.add_argument("run", type=Path, help="RUN directory or run.h5")
    exported.add_argument("-o", "--output", type=Path, help="where to write (default: RUN/export)")
    exported.set_defaults(command=_export, alone="leave mpiexec out")


def _watch(chosen: argparse.Namespace, communicator: Communicator) -> int:
    # Imported here, as for _analyse.
    without_user_style()
    from epmpi.analysis import AnalysisError
    from epmpi.watch import watch

    if not chosen.every > 0:
        raise ConfigError(f"--every {chosen.every:g}: expected seconds > 0; the default is 2")
    try:
        watch(chosen.run, Console(), once=chosen.once, every=chosen.every)
    except AnalysisError as error:
        raise ConfigError(str(error)) from error
    except KeyboardInterrupt:  # the way to leave the live view
        pass
    print(closing([chosen.run], ["analyse", chosen.run]))
    return 0


def _analyse(chosen: argparse.Namespace, communicator: Communicator) -> int:
    # Imported here: it loads matplotlib, which a run does not need.
    without_user_style()
    from epmpi.analysis import AnalysisError, analyse

    try:
        page = chosen.report or chosen.open
        analyses = analyse(chosen.runs, chosen.output, Console(), communicator, page=page)
    except AnalysisError as error:
        raise ConfigError(str(error)) from error
    for analysis in analyses:
        if chosen.open and analysis.page is not None:  # on the root alone
            webbrowser.open(analysis.page.resolve().as_uri())
    if communicator.is_root:
        places = [analysis.numbers.parent for analysis in analyses if analysis.numbers]
        then = ["export", chosen.runs[0]] if page else ["analyse", *chosen.runs, "--report"]
        print(closing(places, then))
    return 0


def _export(chosen: argparse.Namespace, communicator: Communicator) -> int:
    made = export(chosen.run, chosen.output)
    for path in made:
        print(path)
    # On standard error: a script may read the list of files on standard output.
    say(closing([path.parent for path in made], ["analyse", chosen.run]))
    return 0
