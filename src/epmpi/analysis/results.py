"""Everything that is measured in one run, from one pass over its trajectory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from epmpi.analysis.blocks import Estimate, block_average
from epmpi.analysis.displacement import Diffusion, SquaredDisplacement
from epmpi.analysis.lags import sliding_lags
from epmpi.analysis.reading import POSITION, RunFile
from epmpi.analysis.regimes import LocalExponent, Window, find_regimes, local_exponent
from epmpi.analysis.relaxation import CollapseFit, RelaxationTime, fit_window, relaxation_times
from epmpi.analysis.structure_factor import MOST_ORIGINS, CosineSums, StructureFactor
from epmpi.analysis.wavevectors import choose_shells

# Averages over time of these series, with their units.
SERIES = {"activity": "1", "stress_mean": "yield stress", "stress_variance": "yield stress^2"}


@dataclass(frozen=True)
class TracerResults:
    """What the trajectory gives; `fits` holds a fit for each window that has enough points."""

    diffusion: Diffusion
    exponent: LocalExponent
    windows: list[Window]
    structure_factor: StructureFactor
    fits: list[CollapseFit]
    relaxation: RelaxationTime


@dataclass(frozen=True)
class Analysis:
    """Results of one run.

    Attributes
    ----------
    run : Path
        The run file.
    name, title : str
        Of the run, for tables and for figures.
    provenance : mapping
        What the run file says of itself: configuration, versions, seed, ...
    averages : mapping of str to Estimate
        By the names of `SERIES`.
    tracers : TracerResults or None
    missing : tuple of str
        One line on each result that the run file cannot give.
    numbers : Path
        The analysis.h5 that holds all this, once it is written.
    figures : list of Path
        The PNGs, once they are drawn.
    """

    run: Path
    name: str
    title: str
    provenance: Mapping[str, Any]
    averages: Mapping[str, Estimate]
    tracers: TracerResults | None
    missing: tuple[str, ...]
    numbers: Path = Path()
    figures: list[Path] = field(default_factory=list)


def measure(run: RunFile, console: Console | None = None) -> Analysis:
    """Measure everything that an open run file allows.

    Parameters
    ----------
    run : RunFile
    console : rich Console, optional
        A terminal shows a progress bar while the trajectory is read.

    Raises
    ------
    AnalysisError
        If the file is damaged.
    """
    averages, missing = _averages(run)
    tracers = None
    if not run.has(POSITION):
        missing.append("no trajectory (output.trajectory_every): no D(t), S(q,t), trajectories")
    else:
        tracers = _measure_tracers(run, console)
        if tracers is None:
            missing.append("the trajectory has fewer than 6 frames: no D(t), S(q,t)")
    if not run.has("fields/stress"):
        missing.append("no fields (output.fields_every): no stress map")
    return Analysis(
        run=run.path,
        name=run.name,
        title=describe(run),
        provenance=run.provenance(),
        averages=averages,
        tracers=tracers,
        missing=tuple(missing),
    )


def describe(run: RunFile) -> str:
    """Return the title of a run's figures: the model, its temperature or activity, the lattice."""
    activation = run.parameter("model", "activation", "")
    key, symbol = ("activity", "a") if activation == "random" else ("temperature", "T")
    value = run.parameter("model", key)
    parts = [f"{activation} model"] if activation else []
    if value is not None:
        parts.append(rf"${symbol} = {value:g}$")
    parts.append(rf"${run.shape[0]} \times {run.shape[1]}$")
    return ",  ".join(parts)


def _averages(run: RunFile) -> tuple[dict[str, Estimate], list[str]]:
    averages, missing = {}, []
    for name in SERIES:
        if run.has(f"observables/{name}"):
            averages[name] = block_average(run.series(name)[1])
        else:
            missing.append(f"no series of {name} (output.series_every)")
    return averages, missing


def _measure_tracers(run: RunFile, console: Console | None) -> TracerResults | None:
    clock = run.clock(POSITION)
    lags = sliding_lags(clock)
    if not lags:
        return None
    squares = SquaredDisplacement(lags)
    cosines = CosineSums(sliding_lags(clock, MOST_ORIGINS), choose_shells(run.shape))
    strips = track(
        run.strips(),
        description=f"{run.name}: trajectory",
        total=run.strip_count,
        console=console,
        transient=True,
        disable=console is None or not console.is_terminal,
    )
    for strip in strips:
        squares.add(strip)
        cosines.add(strip)
    diffusion, factor = squares.result(), cosines.result()
    exponent = local_exponent(diffusion)
    windows = find_regimes(exponent)
    fits = [fit_window(factor, window) for window in windows]
    return TracerResults(
        diffusion=diffusion,
        exponent=exponent,
        windows=windows,
        structure_factor=factor,
        fits=[fit for fit in fits if fit is not None],
        relaxation=relaxation_times(factor),
    )
