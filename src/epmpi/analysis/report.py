"""Analyse runs: numbers to HDF5, figures to PNG, a table to the screen."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from epmpi.analysis.ensembles import check_alike, runs_of
from epmpi.analysis.errors import AnalysisError
from epmpi.analysis.field_results import STRESS
from epmpi.analysis.fields import Medium
from epmpi.analysis.figures.diffusion import draw_diffusion
from epmpi.analysis.figures.flow import draw_flow, is_sheared
from epmpi.analysis.figures.panels import AVALANCHES, STATISTICS, draw_panels
from epmpi.analysis.figures.scattering import draw_structure_factor
from epmpi.analysis.figures.series import draw_series
from epmpi.analysis.figures.stress_map import draw_stress_map, read_snapshot
from epmpi.analysis.figures.trajectories import draw_trajectories
from epmpi.analysis.page import write_page
from epmpi.analysis.results import Analysis, measure_replicas
from epmpi.analysis.run_file import POSITION, RunFile
from epmpi.analysis.store import write_analysis
from epmpi.analysis.table import print_analysis
from epmpi.config import ENSEMBLE
from epmpi.host.host_memory import free_memory, in_bytes
from epmpi.parallel import Communicator
from epmpi.trust import followed, readable

NUMBERS = "analysis.h5"
PAGE = "report.html"
FRAMES = 3  # least number of frames of a field in memory: read, transformed, drawn


def analyse(
    run_paths: Iterable[str | Path] | str | Path,
    output_directory: str | Path | None = None,
    console: Console | None = None,
    communicator: Communicator | None = None,
    *,
    page: bool = False,
) -> list[Analysis]:
    """Analyse each run from its run file, and report the results.

    The replicas of an ensemble are analysed as one: averages over all of them, and errors from
    their spread.

    Collective, if there is a communicator: the ranks share the work, the root writes and prints.

    Parameters
    ----------
    run_paths : path or iterable of paths
        RUN directories, of runs or of ensembles, or run files.
    output_directory : path, optional
        Where analysis.h5 and the PNGs go; with several runs, into a directory per run below it.
        By default each run's own directory.
    console : rich Console, optional
        Where the table goes; nothing is printed without.
    communicator : Communicator, optional
        By default this process works alone.
    page : bool
        Whether to write report.html too, a page with all of it.

    Returns
    -------
    list of Analysis
        In the order of the runs.

    Raises
    ------
    AnalysisError
        One line, if a run file is missing, foreign or damaged, or the output cannot be written.
    """
    paths = [Path(path) for path in _several(run_paths)]
    if not paths:
        raise AnalysisError("no run to analyse: expected at least one RUN directory")
    targets = _targets(paths, output_directory)
    communicator = communicator or Communicator()
    shown = console if communicator.is_root else None
    analyses = []
    for path, target in zip(paths, targets, strict=True):
        with ExitStack() as opened:
            runs = open_alike(path, opened, communicator)
            communicator.raise_alike(too_large(runs[0]))
            analysis = measure_replicas(runs, shown, communicator)
            if len(runs) > 1:
                analysis = of_ensemble(analysis, path)
            error = None
            if communicator.is_root:
                try:
                    analysis = write(runs, analysis, target, page=page)
                except AnalysisError as found:
                    error = found
            communicator.raise_alike(error)
        analyses.append(analysis)
        if shown is not None:
            print_analysis(shown, analysis)
    return analyses


def open_alike(path: Path, opened: ExitStack, communicator: Communicator) -> list[RunFile]:
    """Return the open files of a run or of an ensemble, or raise on all ranks alike.

    Raises
    ------
    AnalysisError
        On all ranks, if one cannot open them.
    """
    runs: list[RunFile] = []
    error = None
    try:
        runs += [opened.enter_context(RunFile(run)) for run in runs_of(path)]
        check_alike(runs)
    except AnalysisError as found:
        error = found
    communicator.raise_named(error)
    return runs


def too_large(run: RunFile) -> AnalysisError | None:
    """Return the error of a run whose fields do not fit in memory, else None."""
    free = free_memory()
    needed = FRAMES * 8 * math.prod(run.shape) if run.has(STRESS) else 0
    if free is None or needed <= free[0]:
        return None
    return AnalysisError(
        f"{run.path} has fields of {run.shape[0]} x {run.shape[1]} sites, {in_bytes(needed)} are "
        f"needed, {in_bytes(free[0])} are free ({free[1]}): analyse it where more memory is free"
    )


def of_ensemble(analysis: Analysis, path: Path) -> Analysis:
    """Return the analysis under the name and the configuration of the ensemble."""
    file = path / ENSEMBLE
    provenance = {**analysis.provenance, "configuration": file.read_text(encoding="utf-8")}
    del provenance["seed"]
    return replace(analysis, run=file, name=readable(path.resolve().name), provenance=provenance)


def write(
    runs: Sequence[RunFile], analysis: Analysis, target: Path, *, page: bool = False
) -> Analysis:
    """Write analysis.h5, the figures and perhaps the page; return the analysis with their paths."""
    try:
        target.mkdir(parents=True, exist_ok=True)
        write_analysis(target / NUMBERS, analysis)
        figures = draw_figures(runs, analysis, target)
        analysis = replace(analysis, numbers=target / NUMBERS, figures=figures)
        if page:
            analysis = replace(analysis, page=target / PAGE)
            write_page(target / PAGE, analysis)
        return analysis
    except OSError as error:
        raise AnalysisError(
            f"cannot write to {target}: {error}; choose another directory with -o"
        ) from error


def draw_figures(runs: Sequence[RunFile], analysis: Analysis, directory: Path) -> list[Path]:
    """Draw every figure that the run files allow; return the PNGs.

    Figures of a single run show the first of several.
    """
    run, title, tracers = runs[0], analysis.title, analysis.tracers
    single = title + (f";  {run.name}" if len(runs) > 1 else "")
    medium = Medium.of(run) if run.has(STRESS) else None
    figures: list[Path] = []

    def png(name: str) -> Path:
        figures.append(directory / f"{name}.png")
        return figures[-1]

    if {"activity", "stress_variance"} & set(analysis.averages):
        draw_series(png("series"), runs, analysis.averages, analysis.drifts, title)
    if "stress_mean" in analysis.averages and all(map(is_sheared, runs)):
        draw_flow(png("flow"), runs, analysis.averages["stress_mean"], title)
    if medium is not None:
        draw_stress_map(png("stress_map"), read_snapshot(run), medium, single)
    if run.has(POSITION):
        draw_trajectories(png("trajectories"), run, single)
    if tracers is not None:
        draw_diffusion(
            png("diffusion"), tracers.diffusion, tracers.exponent, tracers.windows, title
        )
        draw_structure_factor(
            png("structure_factor"), tracers.structure_factor, tracers.fits, title
        )
    if any(panel.shows(name) for panel in AVALANCHES for name in analysis.curves):
        draw_panels(png("avalanches"), AVALANCHES, analysis.curves, title, analysis.laws)
    if any(panel.shows(name) for panel in STATISTICS for name in analysis.curves):
        draw_panels(png("statistics"), STATISTICS, analysis.curves, title)
    return figures


def _several(paths: Iterable[str | Path] | str | Path) -> Iterable[str | Path]:
    return [paths] if isinstance(paths, str | Path) else paths


def _targets(paths: list[Path], output_directory: str | Path | None) -> list[Path]:
    """Return the output directory of each run."""
    homes = [(path if path.is_dir() else path.parent).resolve() for path in paths]
    if output_directory is None:
        targets = [path if path.is_dir() else followed(path).parent for path in paths]
    elif len(paths) == 1:
        targets = [Path(output_directory)]
    else:
        targets = [Path(output_directory) / home.name for home in homes]
    doubled = [target for target, times in Counter(targets).items() if times > 1]
    if doubled:
        raise AnalysisError(
            f"two runs would both write to {doubled[0]}: name each run once, or analyse them apart"
        )
    return targets
