"""A snapshot of a run, finished or running, from its run file."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis import AnalysisError, RunFile
from epmpi.config import ConfigError, Configuration, expected_run, from_mapping
from epmpi.trust import one_line

SERIES = ("activity", "stress_variance")
ATTEMPTS = 5  # to read a file that is replaced while it is read


@dataclass(frozen=True)
class Snapshot:
    """Progress of a run when its file was last published.

    Attributes
    ----------
    name : str
        Of the RUN directory.
    published : float
        Time of publication, in seconds since the epoch; 0 if there was none.
    ended : str
        "finished", or "stopped (why)"; empty while it runs, or if it was killed.
    step : int
        Since the start of the run, of the last sample.
    total : int or None
        Steps of the whole run; None while the run has not decided when its warm-up ends.
    series : dict of str to array
        All samples, warm-up first.
    rate : float or None
        Steps a second; None if unknown.
    """

    name: str
    configuration: Configuration
    published: float
    ended: str
    step: int
    total: int | None
    in_warmup: bool
    series: dict[str, NDArray[np.float64]]
    rate: float | None

    @property
    def has_ended(self) -> bool:
        """Whether the run has ended, according to its file."""
        return bool(self.ended)

    @property
    def site_updates(self) -> float | None:
        """Site updates a second; None if unknown."""
        length, width = self.configuration.lattice.shape
        return None if self.rate is None else self.rate * length * width

    def latest(self, name: str) -> NDArray[np.float64]:
        """Return the last sample of a series, shape (1,)."""
        return self.series[name][-1:]

    def seconds_left(self, now: float) -> float | None:
        """Return the seconds that are left at the present rate, or None if unknown."""
        if self.has_ended or self.total is None or not self.rate:
            return None
        return max((self.total - self.step) / self.rate - (now - self.published), 0.0)


def read_snapshot(run: Path, before: Snapshot | None = None) -> Snapshot:
    """Read a run file that may be replaced at any moment.

    A run file is replaced as a whole and never written to; but it may refer to segments that a
    later publication removes.  So it is read again if it was replaced meanwhile.

    Parameters
    ----------
    before : Snapshot, optional
        An earlier snapshot, from which the rate is measured.

    Raises
    ------
    AnalysisError
        If there is no run file, or it cannot be read.
    """
    path = run / "run.h5" if run.is_dir() else run
    for attempt in range(ATTEMPTS):
        first = _identity(path)
        try:
            found = _read(path, first[1] / 1e9)
        except AnalysisError:
            if _identity(path) == first or attempt == ATTEMPTS - 1:
                raise
            continue
        if _identity(path) == first:
            break
    return _with_rate(found, before)


def _identity(path: Path) -> tuple[int, int]:
    """Return inode and time of a published file, which distinguish it from the next."""
    try:
        found = os.stat(path)
    except OSError as error:
        raise AnalysisError(f"no run file at {path}: {expected_run(path.parent)}") from error
    return found.st_ino, found.st_mtime_ns


def _read(path: Path, published: float) -> Snapshot:
    with RunFile(path) as file:
        try:
            return _snapshot(file, published)
        except AnalysisError:
            raise
        except (TypeError, ValueError, RecursionError) as error:
            why = one_line(error)
            raise AnalysisError(f"{path} is damaged: {why}") from error


def _snapshot(file: RunFile, published: float) -> Snapshot:
    provenance = file.provenance()
    configuration = _configuration(file, provenance)
    warmup, measured = (_series(file, part) for part in (True, False))
    warmup_steps = configuration.warmup_steps
    if warmup_steps is None and measured:  # the run has decided, and says so when it ends
        warmup_steps = provenance.get("warmup_steps", _last(warmup))
    step = _last(measured) + (warmup_steps or 0) if measured else _last(warmup)
    total = None
    if warmup_steps is not None:
        total = warmup_steps + configuration.steps(configuration.time.duration)
    ended = "finished" if "finished" in provenance else ""
    if "stopped" in provenance and not ended:
        ended = f"stopped ({provenance['stopped']})"
    series = {
        name: np.concatenate([part[name][1] for part in (warmup, measured) if name in part])
        for name in SERIES
        if name in warmup or name in measured
    }
    return Snapshot(
        file.name, configuration, published, ended, step, total, not measured, series,
        _rate_since_start(provenance, configuration, step, published),
    )  # fmt: skip


def _configuration(file: RunFile, provenance: dict[str, Any]) -> Configuration:
    try:
        return from_mapping(tomllib.loads(provenance.get("configuration", "")))
    except (ConfigError, ValueError) as error:
        raise AnalysisError(f"{file.path}: its configuration cannot be read: {error}") from error


def _series(file: RunFile, warmup: bool) -> dict[str, tuple[NDArray, NDArray]]:
    """Return {name: (steps, values)} of the series of the warm-up, or of the measurement.

    Series without values are left out.
    """
    found = {}
    for name in SERIES:
        if file.has(f"{'warmup/' if warmup else ''}observables/{name}"):
            clock, values = file.series(name, warmup)
            if values.size:
                found[name] = (clock.step, values)
    return found


def _last(series: dict[str, tuple[NDArray, NDArray]]) -> int:
    return max((int(steps[-1]) for steps, _ in series.values()), default=0)


def _rate_since_start(
    provenance: dict[str, Any], configuration: Configuration, step: int, published: float
) -> float | None:
    """Return the steps a second: of the whole run if it has ended, else since its start."""
    length, width = configuration.lattice.shape
    if speed := provenance.get("site_updates_per_second"):
        return float(speed) / (length * width)
    try:
        seconds = published - datetime.fromisoformat(provenance["started"]).timestamp()
    except (KeyError, ValueError):
        return None
    return step / seconds if seconds > 1.0 and step else None


def _with_rate(found: Snapshot, before: Snapshot | None) -> Snapshot:
    """Return the snapshot with the rate since an earlier one, if the run has advanced."""
    if before is None or found.has_ended:
        return found
    if found.published <= before.published or found.step <= before.step:
        return replace(found, rate=before.rate)
    seconds = found.published - before.published
    return replace(found, rate=(found.step - before.step) / seconds)
