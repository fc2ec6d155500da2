"""Machine constants from measured steps, and how well the model then gives the measured times.

The rows are those that ``python -m benchmarks.step --csv`` writes.  Constants of a core come from
the rows of one rank; from those of several ranks come only the packing and the exchange.
"""

from __future__ import annotations

import csv
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from performance.model import Link, Machine, Network, predict
from performance.workload import Stage, Workload, stages

CACHES = [2**k for k in range(20, 27)]  # bytes that are tried for what stays in cache
STAGES = ("inverse rows", "rule", "forward rows", "columns", "moving", "rest")


@dataclass(frozen=True)
class Measurement:
    """One measured step: seconds as a whole and by stage."""

    work: Workload
    seconds: float
    stages: Mapping[str, float]


class CalibrationError(ValueError):
    """Tell why constants cannot be found from the rows that were given."""


def read_rows(file: Path) -> list[Measurement]:
    """Return the measurements of a CSV file; rows of the same case are replaced by their medians.

    Raises
    ------
    CalibrationError
        If the file is missing or has none of the columns of the benchmark.
    """
    try:
        with file.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
    except OSError as error:
        raise CalibrationError(
            f"no measurements in {file} ({error.strerror}): run tools/scaling.py first"
        ) from None
    cases: dict[Workload, list[Mapping[str, str]]] = defaultdict(list)
    try:
        for row in rows:
            cases[_workload(row)].append(row)
        return [_median(work, cases[work]) for work in cases]
    except (KeyError, TypeError, ValueError) as error:
        raise CalibrationError(
            f"{file} is no table of benchmarks.step ({error!r}): expected its --csv output"
        ) from None


def _workload(row: Mapping[str, str]) -> Workload:
    tracers = int(row["tracers"])
    interpolation = row["interpolation"] if tracers else "bilinear"
    return Workload(int(row["L"]), int(row["ranks"]), tracers, interpolation, row["precision"])


def _median(work: Workload, rows: Sequence[Mapping[str, str]]) -> Measurement:
    def median(column: str, unit: float) -> float:
        return unit * statistics.median(float(row[column]) for row in rows)

    site = 1e-9 * work.length**2  # the benchmark gives stages in ns a site of the whole lattice
    spent = {name: median(name.replace(" ", "_"), site) for name in (*STAGES, "exchange")}
    # Of messages, where it was timed; the fit tells it apart again.
    spent["rest"] += site * statistics.median(float(row.get("packing") or 0) for row in rows)
    return Measurement(work, median("ms_per_step", 1e-3), spent)


@dataclass(frozen=True)
class Core:
    """A measured core: t = operations a + traffic b s, with s the share that is not in cache.

    Parameters
    ----------
    per_operation, per_byte : mapping
        a and b, in seconds, by stage.
    cache : float
        Bytes of the cache that all ranks of a node share; s = 1 - cache / (arrays of the node).
    ranks_per_node : int
    node_bandwidth : float
        Bytes a second that all ranks of a node read and write together.
    """

    per_operation: Mapping[str, float]
    per_byte: Mapping[str, float]
    cache: float
    ranks_per_node: int
    node_bandwidth: float = math.inf
    streaming: bool = field(default=False, init=False)

    def seconds(self, stage: Stage, work: Workload) -> float:
        """Return the time of a stage."""
        active = min(work.ranks, self.ranks_per_node)
        traffic = stage.traffic * spilled(work, self.cache, active)
        alone = stage.operations * self.per_operation.get(stage.name, 0.0)
        alone += traffic * self.per_byte.get(stage.name, 0.0)
        return max(alone, traffic * active / self.node_bandwidth)


def spilled(work: Workload, cache: float, active: int) -> float:
    """Return the share of the arrays of a node's active ranks that its cache does not hold."""
    return max(0.0, 1.0 - cache / (active * work.memory))


def calibrate(measured: Sequence[Measurement]) -> Machine:
    """Find the constants of the machine that the measurements come from; all ranks on one node.

    Raises
    ------
    CalibrationError
        If there are not enough rows of one rank.
    """
    single = [m for m in measured if m.work.ranks == 1]
    if len({m.work.length for m in single}) < 2:
        raise CalibrationError("constants need rows of one rank at two sizes or more")
    most = max(m.work.ranks for m in measured)
    core = min((_fit_core(single, cache, most) for cache in CACHES), key=_misfit(single))
    several = [m for m in measured if m.work.ranks > 1]
    packing = {"packing": _fit_packing(several, core)}
    core = Core({**core.per_operation, **packing}, core.per_byte, core.cache, most)
    link = _fit_link(several)
    return Machine("here", "the machine of the measurements", core, Network(most, link, link))


def _fit_core(single: Sequence[Measurement], cache: float, ranks: int) -> Core:
    """Fit every stage on the rows of one rank, for a given cache."""
    per_operation, per_byte = {}, {}
    for name in STAGES:
        rows = [(m, stage) for m in single for stage in _stage(m, name) if m.stages[name] > 0]
        if not rows:
            continue
        features = [
            (stage.operations, stage.traffic * spilled(m.work, cache, 1)) for m, stage in rows
        ]
        a, b = _fit(np.array(features), np.array([m.stages[name] for m, _ in rows]))
        per_operation[name], per_byte[name] = a, b
    return Core(per_operation, per_byte, cache, ranks)


def _misfit(single: Sequence[Measurement]) -> Callable[[Core], float]:
    """Return a function that tells how far a core is from the measured times of one rank."""

    def misfit(core: Core) -> float:
        total = 0.0
        for m in single:
            listed = stages(m.work, streaming=False)
            total += (sum(core.seconds(stage, m.work) for stage in listed) / m.seconds - 1) ** 2
        return total

    return misfit


def _stage(measurement: Measurement, name: str) -> list[Stage]:
    """Return the stage of that name, in a list; empty if the step has none."""
    return [s for s in stages(measurement.work, streaming=False) if s.name == name]


def _fit_packing(several: Sequence[Measurement], core: Core) -> float:
    """Return the seconds a byte of packing: what the rest takes beyond that of one rank."""
    features, values = [], []
    for m in several:
        (rest,) = _stage(m, "rest")
        features.append([stage.operations for stage in _stage(m, "packing")])
        values.append(max(m.stages["rest"] - core.seconds(rest, m.work), 0.0))
    return float(_fit(np.array(features), np.array(values))[0]) if several else 0.0


def _fit_link(several: Sequence[Measurement]) -> Link:
    """Return latency and bandwidth of the exchanges, from their measured times."""
    features, values = [], []
    for m in several:
        exchanges = 4 if m.work.tracers else 2
        features.append([float(exchanges), float(sum(m.work.sent()))])
        values.append(m.stages["exchange"])
    if not several:
        return Link(0.0, 0.0, math.inf)
    latency, per_byte = _fit(np.array(features), np.array(values))
    return Link(latency, 0.0, 1.0 / per_byte if per_byte > 0 else math.inf)


def _fit(features: NDArray[np.float64], values: NDArray[np.float64]) -> list[float]:
    """Return the constants >= 0 that give the least relative errors, sum (f c / v - 1)^2."""
    weights = 1.0 / np.maximum(values, 1e-9)
    scaled = features * weights[:, None]
    norms = np.linalg.norm(scaled, axis=0)
    found, _ = nnls(scaled / np.where(norms > 0, norms, 1.0), values * weights)
    return [float(c) for c in found / np.where(norms > 0, norms, 1.0)]


@dataclass(frozen=True)
class Comparison:
    """A measured step beside the model: fitted to all rows, and to those of the other sizes."""

    measured: Measurement
    fitted: float
    unseen: float

    @property
    def errors(self) -> tuple[float, float]:
        """Relative errors of both."""
        return self.fitted / self.measured.seconds - 1, self.unseen / self.measured.seconds - 1


def validate(measured: Sequence[Measurement]) -> list[Comparison]:
    """Compare the model with every measured step; `unseen` is nan where too few rows are left."""
    machine = calibrate(measured)
    compared = []
    for m in measured:
        others = [other for other in measured if other.work.length != m.work.length]
        try:
            unseen = predict(m.work, calibrate(others)).seconds
        except CalibrationError:
            unseen = math.nan
        compared.append(Comparison(m, predict(m.work, machine).seconds, unseen))
    return compared
