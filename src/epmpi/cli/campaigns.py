"""epmpi paper, scan: many runs, their figures and tables."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from rich.console import Console

from epmpi.cli.words import closing, without_user_style
from epmpi.config import ConfigError
from epmpi.parallel import Communicator

STARTS_RUNS = "it starts the runs itself; leave mpiexec out, set --workers and --ranks"


def add_commands(commands: Any) -> None:
    """Add the parsers of these commands."""
    paper = commands.add_parser(
        "paper", help="run, draw and check the figures of PRL 113, 248301 (2014)"
    )
    paper.add_argument("figures", nargs="*", metavar="FIGURE", help="fig1 ... fig3d, activity")
    size = paper.add_mutually_exclusive_group()
    for scale, help in (
        ("quick", "minutes, small lattices (default)"),
        ("full", "the paper's sizes: hours to days"),
        ("available", "run nothing: use the full runs that exist, else the quick ones"),
    ):
        size.add_argument(
            f"--{scale}", dest="scale", action="store_const", const=scale, default="quick",
            help=help,
        )  # fmt: skip
    paper.add_argument(
        "--page", type=Path, default=Path("docs/validation.md"), help="table to write (%(default)s)"
    )
    _add_campaign_arguments(paper, Path("paper"))
    paper.set_defaults(command=_paper, alone=STARTS_RUNS)

    scan = commands.add_parser("scan", help="run a grid of parameters, sizes and seeds")
    scan.add_argument("campaign", type=Path, help="TOML file: a configuration and a [scan]")
    scan.add_argument("--page", type=Path, help="page of the documentation to write as well")
    _add_campaign_arguments(scan, None)
    scan.set_defaults(command=_scan, alone=STARTS_RUNS)


def _add_campaign_arguments(parser: argparse.ArgumentParser, output: Path | None) -> None:
    parser.add_argument(
        "-o", "--output", type=Path, default=output, help="directory of runs and figures"
    )
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="runs at a time (%(default)s)"
    )
    parser.add_argument("--ranks", type=int, default=1, help="ranks of each run (%(default)s)")


def _paper(chosen: argparse.Namespace, communicator: Communicator) -> int:
    # Imported here: it loads matplotlib, which a run does not need.
    without_user_style()
    from epmpi.paper import FIGURES, reproduce

    if unknown := set(chosen.figures) - set(FIGURES):
        raise ConfigError(f"no figure {', '.join(sorted(unknown))}: known are {', '.join(FIGURES)}")
    reproduce(
        chosen.figures,
        chosen.output,
        chosen.page,
        scale=chosen.scale,
        workers=chosen.workers,
        ranks=chosen.ranks,
        console=Console(),
    )
    print(closing([chosen.output, chosen.page], ["paper", "--full"]))
    return 0


def _scan(chosen: argparse.Namespace, communicator: Communicator) -> int:
    # Imported here, as for _paper.
    without_user_style()
    from epmpi.campaign.scan import scan

    output = chosen.output or Path("scans") / chosen.campaign.stem
    rows = scan(
        chosen.campaign,
        output,
        workers=chosen.workers,
        ranks=chosen.ranks,
        console=Console(),
        page=chosen.page,
    )
    first = next((job.name for point, _ in rows for job in point.jobs), "RUN")
    print(closing([output], ["analyse", output / "runs" / first]))
    return 0
