"""The command line: run, resume, export, analyse, paper, scan, info.

One error line, alike from all ranks, for what a user can mend; a traceback and an abort of all
ranks for what only a developer can.  Exit codes, those of sysexits.h:

- 0: done;
- 2: wrong arguments or configuration; nothing has been changed;
- 70: a number of the state was not finite (the last checkpoint is good);
- 74: a file could not be written (the last checkpoint is good);
- 75: the run stopped before its end, at a time limit or by a signal, with a checkpoint: resume it.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from importlib.metadata import version
from pathlib import Path

import h5py
import numpy as np
from rich.console import Console

import epmpi
from epmpi.config import FFT_ENGINES, ConfigError, Configuration, load
from epmpi.devices import gpus
from epmpi.output import OutputError, export
from epmpi.parallel import Communicator, abort_on_exception, foreign_launcher, library
from epmpi.placement import check_memory, place
from epmpi.planning import array_bytes, plan
from epmpi.simulation import MAY_CHANGE, Simulation, StateError
from epmpi.spectral.transport import decide, offer

USER_ERROR = 2
STATE_ERROR = 70
OUTPUT_ERROR = 74
STOPPED = 75
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
        return chosen.command(chosen, communicator)
    except tuple(EXIT_CODES) as error:
        if communicator.is_root:
            print(f"epmpi: {error}", file=sys.stderr, flush=True)
        return EXIT_CODES[type(error)]


def _parse(arguments: Sequence[str] | None, communicator: Communicator) -> argparse.Namespace:
    """Parse the arguments; help and usage errors are printed by the root alone."""
    if communicator.is_root:
        return _parser().parse_args(arguments)
    with open(os.devnull, "w") as silent, redirect_stderr(silent), redirect_stdout(silent):
        return _parser().parse_args(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="epmpi", description=epmpi.__doc__)
    parser.add_argument("--version", action="version", version=f"epmpi {epmpi.__version__}")
    commands = parser.add_subparsers(title="commands", required=True)

    run = commands.add_parser("run", help="run a configuration, alone or under mpiexec -n P")
    run.add_argument("configuration", type=Path, help="TOML file")
    run.add_argument("-o", "--output", type=Path, help="RUN directory (default: runs/NAME)")
    run.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", dest="overrides",
        help="change one key of the configuration",
    )  # fmt: skip
    run.add_argument(
        "--dry-run", action="store_true", help="tell memory, disk and time; write nothing"
    )
    run.set_defaults(command=_run)

    resume = commands.add_parser("resume", help="go on with a run from its checkpoint")
    resume.add_argument("run", type=Path, help="RUN directory")
    resume.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", dest="overrides",
        help=f"change {', '.join(MAY_CHANGE)}",
    )  # fmt: skip
    resume.add_argument(
        "--previous", action="store_true", help="use the checkpoint before the last"
    )
    resume.set_defaults(command=_resume)

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

    paper = commands.add_parser(
        "paper", help="run, draw and check the figures of PRL 113, 248301 (2014)"
    )
    paper.add_argument("figures", nargs="*", metavar="FIGURE", help="fig1 ... fig3d, activity")
    size = paper.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="minutes, small lattices (default)")
    size.add_argument("--full", action="store_true", help="the paper's sizes: hours to days")
    paper.add_argument(
        "--page", type=Path, default=Path("docs/validation.md"), help="table to write (%(default)s)"
    )
    _add_campaign_arguments(paper, Path("paper"))
    paper.set_defaults(command=_paper)

    scan = commands.add_parser("scan", help="run a grid of parameters, sizes and seeds")
    scan.add_argument("campaign", type=Path, help="TOML file: a configuration and a [scan]")
    _add_campaign_arguments(scan, None)
    scan.set_defaults(command=_scan)

    info = commands.add_parser("info", help="what this machine offers: MPI, GPUs, HDF5, FFTs")
    info.set_defaults(command=_info)
    return parser


def _add_campaign_arguments(parser: argparse.ArgumentParser, output: Path | None) -> None:
    parser.add_argument(
        "-o", "--output", type=Path, default=output, help="directory of runs and figures"
    )
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="runs at a time (%(default)s)"
    )
    parser.add_argument("--ranks", type=int, default=1, help="ranks of each run (%(default)s)")


def _load(chosen: argparse.Namespace, communicator: Communicator) -> Configuration:
    """Read the configuration on the root and give it to all; the same error everywhere."""
    found: Configuration | ConfigError | None = None
    if communicator.is_root:
        try:
            found = load(chosen.configuration, chosen.overrides)
        except ConfigError as error:
            found = error
    found = communicator.broadcast(found)
    if not isinstance(found, Configuration):
        raise found or ConfigError("no configuration")
    return found


def _run(chosen: argparse.Namespace, communicator: Communicator) -> int:
    configuration = _load(chosen, communicator)
    directory = chosen.output or Path("runs") / chosen.configuration.stem
    if chosen.dry_run:
        return _tell_plan(configuration, communicator)
    _refuse_existing(directory, communicator)
    device = place(configuration.run.device, communicator)
    check_memory(array_bytes(configuration, communicator.size, device), device, communicator)
    simulation = Simulation(configuration, communicator)
    return _go(simulation, directory, f"-> {directory}")


def _resume(chosen: argparse.Namespace, communicator: Communicator) -> int:
    simulation = Simulation.resume(
        chosen.run, chosen.overrides, communicator, previous=chosen.previous
    )
    return _go(simulation, None, f"from step {simulation.model.step_count} -> {chosen.run}")


def _go(simulation: Simulation, directory: Path | None, what: str) -> int:
    """Run a simulation that is new or resumed; return the exit code."""
    communicator, configuration = simulation.communicator, simulation.configuration
    if communicator.is_root:
        length, width = configuration.lattice.shape
        print(
            f"epmpi {epmpi.__version__}: {length} x {width} sites, {communicator.size} "
            f"rank{'s' * (communicator.size > 1)}, {simulation.model.device.name}, "
            f"{configuration.run.precision} precision, {simulation.model.fft.engine} transform "
            f"{what}",
            flush=True,
        )
    run = simulation.run(directory)
    if not simulation.stopped:
        return 0
    if communicator.is_root:
        print(
            f"epmpi: stopped ({simulation.stopped}) at step {simulation.model.step_count}; "
            f"go on with: epmpi resume {run}",
            file=sys.stderr,
            flush=True,
        )
    return STOPPED


def _refuse_existing(directory: Path, communicator: Communicator) -> None:
    """Refuse a RUN that exists before time is spent on the model; `open_run` has the last word."""
    if communicator.broadcast(os.path.lexists(directory)):
        raise ConfigError(
            f"output directory {directory} exists: a run is never written over another; "
            "choose another one with -o, or remove it first"
        )


def _tell_plan(configuration: Configuration, communicator: Communicator) -> int:
    memory = array_bytes(configuration, communicator.size)
    if communicator.is_root:
        print(
            f"memory   {_bytes(memory)} of arrays a rank, on {communicator.size} rank(s)",
            flush=True,
        )
    needs = plan(configuration, communicator)
    if communicator.is_root:
        print(f"disk     {_bytes(needs.disk)}")
        print(
            f"time     {_duration(needs.seconds)} for {needs.steps} steps of "
            f"{1e3 * needs.seconds_per_step:.3g} ms, timed here on the first ones"
        )
        if configuration.warmup_steps is None:
            print('         beside the warm-up, which time.warmup = "auto" leaves open')
    return 0


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


def _alone(communicator: Communicator, command: str) -> None:
    if communicator.size > 1:
        raise ConfigError(
            f"{command} starts the runs itself, got {communicator.size} ranks: leave mpiexec out, "
            "set --workers and --ranks"
        )


def _paper(chosen: argparse.Namespace, communicator: Communicator) -> int:
    _alone(communicator, "paper")
    # Imported here, as for _analyse.
    from epmpi.paper import FIGURES, reproduce

    if unknown := set(chosen.figures) - set(FIGURES):
        raise ConfigError(f"no figure {', '.join(sorted(unknown))}: known are {', '.join(FIGURES)}")
    reproduce(
        chosen.figures,
        chosen.output / ("full" if chosen.full else "quick"),
        chosen.page,
        full=chosen.full,
        workers=chosen.workers,
        ranks=chosen.ranks,
        console=Console(),
    )
    return 0


def _scan(chosen: argparse.Namespace, communicator: Communicator) -> int:
    _alone(communicator, "scan")
    # Imported here, as for _analyse.
    from epmpi.campaign.scan import scan

    scan(
        chosen.campaign,
        chosen.output or Path("scans") / chosen.campaign.stem,
        workers=chosen.workers,
        ranks=chosen.ranks,
        console=Console(),
    )
    return 0


def _info(chosen: argparse.Namespace, communicator: Communicator) -> int:
    device = place("auto", communicator)
    ranks = communicator.gather((platform.node(), device.describe(), offer(device)))
    if ranks is None:
        return 0
    hosts, names, offers = zip(*ranks, strict=True)
    parallel_hdf5 = "yes" if h5py.get_config().mpi else "no: slabs stream to one rank"
    rows = [
        ("epmpi", epmpi.__version__),
        (
            "python",
            f"{platform.python_version()}, numpy {np.__version__}, numba {version('numba')}",
        ),
        ("processor", f"{os.cpu_count()} cores, {platform.machine()}"),
        ("MPI", f"{library()}, {communicator.size} rank(s) on {len(set(hosts))} host(s)"),
        (
            "HDF5",
            f"{h5py.version.hdf5_version}, h5py {h5py.__version__}, parallel: {parallel_hdf5}",
        ),
        ("device", f"{device.name}: {', '.join(sorted(set(names)))}"),
        ("GPU", gpus()[1] or f"{gpus()[0]} seen by the first rank"),
        ("exchange", decide(offers)),
        ("FFT engines", ", ".join(FFT_ENGINES)),
    ]
    for name, value in rows:
        print(f"{name:<12} {value}")
    return 0


def _bytes(count: float) -> str:
    """Return a number of bytes in the unit that fits."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:.3g} TiB"


def _duration(seconds: float) -> str:
    """Return a time in the unit that fits."""
    for limit, unit, size in ((120, "s", 1), (7200, "min", 60), (172800, "h", 3600)):
        if seconds < limit:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 86400:.3g} days"


if __name__ == "__main__":
    sys.exit(main())
