"""The runs behind a path: one, or the replicas of an ensemble, which must be of the same length."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from epmpi.analysis.activity import ACTIVE_TIME
from epmpi.analysis.errors import AnalysisError
from epmpi.analysis.field_results import STRESS
from epmpi.analysis.results import SERIES
from epmpi.analysis.run_file import POSITION, RunFile
from epmpi.analysis.waiting_times import HISTOGRAM
from epmpi.config import ENSEMBLE, ConfigError, is_ensemble, load, replica_name

COMPARED = (
    *(f"observables/{name}" for name in (*SERIES, ACTIVE_TIME)),
    POSITION,
    STRESS,
    HISTOGRAM,
)
OUTPUT = "[output]"  # the section of a configuration that follows the physics


def runs_of(path: Path) -> list[Path]:
    """Return the path, or the RUN directories of an ensemble's replicas.

    Raises
    ------
    AnalysisError
        If ensemble.toml cannot be read.
    """
    if not is_ensemble(path):
        return [path]
    try:
        replicas = load(path / ENSEMBLE).run.replicas
    except ConfigError as error:
        raise AnalysisError(str(error)) from error
    return [path / replica_name(number) for number in range(replicas)]


def check_alike(runs: Sequence[RunFile]) -> None:
    """Check that replicas have the same physics and the same frames.

    Raises
    ------
    AnalysisError
        One line, which names a replica that differs.
    """
    first, *others = runs
    for run in others:
        if _physics(run) != _physics(first):
            raise AnalysisError(
                f"{run.path} has another configuration than {first.path}: replicas differ in "
                "run.seed only; analyse the runs separately"
            )
        for path in COMPARED:
            if not _same_frames(first, run, path):
                raise AnalysisError(
                    f"{run.path} has other frames of /{path} than {first.path}: expected replicas "
                    "of the same length; finish the ensemble with epmpi resume"
                )


def _physics(run: RunFile) -> str:
    text: str = run.provenance().get("configuration", "")
    return text.partition(OUTPUT)[0]


def _same_frames(one: RunFile, other: RunFile, path: str) -> bool:
    if not one.has(path) or not other.has(path):
        return one.has(path) == other.has(path)
    return np.array_equal(one.clock(path).step, other.clock(path).step)
