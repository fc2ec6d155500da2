"""All results of a run or an ensemble: series, trajectory, fields, waits, log of events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from epmpi.analysis.activity import AT_OUTPUTS, is_over_time, series_of
from epmpi.analysis.blocks import Estimate, block_average
from epmpi.analysis.completeness import Shortfall, shortfall
from epmpi.analysis.curve import Curve, FittedLaw, Results
from epmpi.analysis.field_results import FEWEST_FRAMES, STRESS, measure_fields
from epmpi.analysis.log_results import measure_log
from epmpi.analysis.renewal import predict
from epmpi.analysis.run_file import POSITION, RunFile
from epmpi.analysis.stationarity import REMEDY, Drift, drift, remark
from epmpi.analysis.titles import title
from epmpi.analysis.tracer_results import TracerResults, measure_tracers
from epmpi.analysis.waiting_times import SHORTEST, WaitingTimes, measure_waits
from epmpi.parallel import Communicator

# Averages over time of these series, with their units.
SERIES = {"activity": "1", "stress_mean": "yield stress", "stress_variance": "yield stress^2"}
UNITS = {**SERIES, AT_OUTPUTS: SERIES["activity"]}
NAMES = {
    "activity": "activity a",
    AT_OUTPUTS: "activity at the outputs",
    "stress_mean": "mean stress",
    "stress_variance": "stress variance",
}
RANDOM_REMEDY = "the stress of the random model has no stationary state"


@dataclass(frozen=True)
class Analysis:
    """Results of one run, or of an ensemble.

    Attributes
    ----------
    run : Path
        The run file; of an ensemble, its ensemble.toml.
    name, title : str
        Of the run, for tables and for figures.
    provenance : mapping
        What the run file says of itself: configuration, versions, seed, ...
    averages : mapping of str to Estimate
        By the names of `UNITS`; see `activity` for that of the activity.
    drifts : mapping of str to Drift
        Of the same series.
    remarks : tuple of str
        Remarks that a reader of the results must know, one line each.
    tracers : TracerResults or None
        From the trajectory.
    waits : WaitingTimes or None
        From their histogram.
    curves : dict of str to Curve
        From trajectory, frames of the stress, waiting times and log of events; by name.
    laws : dict of str to FittedLaw
        The laws that were fitted to curves, by the names of these.
    missing : tuple of str
        One line on each result that the run file cannot give.
    shortfall : Shortfall or None
        What the run lacks to its end.
    replicas : int
        Independent runs, from whose spread the errors come; 1: a run by itself.
    numbers : Path
        The analysis.h5 that holds all this, once it is written.
    figures : list of Path
        The PNGs, once they are drawn.
    page : Path or None
        The HTML page, once it is written.
    """

    run: Path
    name: str
    title: str
    provenance: Mapping[str, Any]
    averages: Mapping[str, Estimate]
    drifts: Mapping[str, Drift]
    remarks: tuple[str, ...]
    tracers: TracerResults | None
    waits: WaitingTimes | None
    curves: dict[str, Curve]
    laws: dict[str, FittedLaw]
    missing: tuple[str, ...]
    shortfall: Shortfall | None = None
    replicas: int = 1
    numbers: Path = Path()
    figures: list[Path] = field(default_factory=list)
    page: Path | None = None


def measure(run: RunFile) -> Analysis:
    """Measure everything that an open run file allows; see `measure_replicas`."""
    return measure_replicas([run])


def measure_replicas(
    runs: Sequence[RunFile],
    console: Console | None = None,
    communicator: Communicator | None = None,
) -> Analysis:
    """Measure everything that the files of a run, or of the replicas of an ensemble, allow.

    Observables are averaged over the replicas, and their errors come from the spread between them;
    see `pooling`.  Collective, if there is a communicator.

    The ranks share out tracers and sites; sums over them agree on any number of ranks up to
    rounding.

    Parameters
    ----------
    runs : sequence of RunFile
        Open on every rank; several must be alike (`ensembles.check_alike`).
    console : rich Console, optional
        A terminal shows a progress bar while the trajectory is read.
    communicator : Communicator, optional
        By default this process works alone.

    Raises
    ------
    AnalysisError
        If the file is damaged.
    """
    communicator = communicator or Communicator()
    run = runs[0]
    averages, drifts, missing = _averages(runs)
    cut = shortfall(runs)
    remarks = [cut.remark] if cut else []
    if ended := run.parameter("steady_state", "ended"):
        remarks.append(f"the automatic warm-up ended {ended}: what follows may drift")
    remarks += _drifts(run, averages, drifts)
    tracers = None
    if not run.has(POSITION):
        why = _why(runs, "trajectory_every")
        missing.append(f"no trajectory ({why}): no D(t), S(q,t), trajectories")
    else:
        tracers = measure_tracers(runs, console, communicator)
        if tracers is None:
            missing.append("the trajectory has fewer than 6 frames: no D(t), S(q,t)")
    fields = measure_fields(runs, communicator)
    if not run.has(STRESS):
        missing.append(
            f"no fields ({_why(runs, 'fields_every')}): no stress map, P(sigma), C_sigma(t)"
        )
    elif fields is None:
        few = f"fewer than {FEWEST_FRAMES} frames"
        missing.append(f"the fields have {few}: no P(sigma), C_sigma(t)")
    waits, of_waits = measure_waits(runs), None
    if waits is not None:
        law = waits.fit(SHORTEST * run.parameter("model", "restructuring_time", 1.0))
        of_waits = Results.of(
            [waits.density(), waits.persistence(), *predict(waits)], {"waiting_times": law}
        )
    else:
        missing.append(
            f"no waiting times ({_why(runs, 'waiting_times_every')}): no psi, no random walk"
        )
    found = [part for part in (fields, of_waits, measure_log(runs)) if part is not None]
    curves = [*(tracers.curves if tracers else ()), *(one for part in found for one in part.curves)]
    return Analysis(
        run=run.path,
        name=run.name,
        title=title(runs, cut),
        provenance=run.provenance(),
        averages=averages,
        drifts=drifts,
        remarks=tuple(remarks),
        shortfall=cut,
        tracers=tracers,
        waits=waits,
        curves={curve.name: curve for curve in curves},
        laws={name: law for part in found for name, law in part.laws.items()},
        missing=tuple(missing),
        replicas=len(runs),
    )


def _averages(
    runs: Sequence[RunFile],
) -> tuple[dict[str, Estimate], dict[str, Drift], list[str]]:
    """Return the averages of the series, their drifts, and what is missing."""
    averages, drifts, missing = {}, {}, []
    for name in SERIES:
        if not all(run.has(f"observables/{name}") for run in runs):
            missing.append(f"no series of {name} ({_why(runs, 'series_every', 1.0)})")
            continue
        exact = name == "activity" and all(map(is_over_time, runs))
        for kind in (name, AT_OUTPUTS) if exact else (name,):
            series = np.concatenate([series_of(run, kind)[1] for run in runs])
            averages[kind] = block_average(series, len(runs))
            drifts[kind] = drift(series, len(runs))
    return averages, drifts, missing


def _why(runs: Sequence[RunFile], every: str, default: float = 0.0) -> str:
    """Return why something is missing: the key of its interval, or that nothing is measured yet.

    The default is that of a file that does not have the key.
    """
    measured = any(run.has(f"observables/{one}") for run in runs for one in SERIES)
    if not measured and any(run.parameter("output", every, default) for run in runs):
        return "the warm-up has not ended, or the run was stopped in it"
    return f"output.{every}"


def _drifts(
    run: RunFile, averages: Mapping[str, Estimate], drifts: Mapping[str, Drift]
) -> Iterable[str]:
    """Yield a remark on each series that is not stationary."""
    is_random = run.parameter("model", "activation") == "random"
    for name, found in drifts.items():
        if found.is_marked and name != AT_OUTPUTS:  # the same quantity as the activity
            remedy = RANDOM_REMEDY if is_random and name != "activity" else REMEDY
            yield remark(NAMES[name], found, averages[name].value, remedy)
