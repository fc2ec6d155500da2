"""A scaling study: its cases, how each is measured, and what its rows say.

Strong scaling: one lattice on more and more ranks.  Weak scaling: the lattice grows so that the
sites of a rank stay nearly the same.
"""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from performance.calibration import Measurement

SAME_LOAD = 0.05  # relative difference in the sites of a rank that weak scaling tolerates
MOST_STEPS, FEWEST_STEPS = 400, 4


@dataclass(frozen=True, order=True)
class Case:
    """One lattice on so many ranks."""

    ranks: int
    length: int

    def steps(self, updates: int) -> tuple[int, int]:
        """Return the steps of the warm-up and of a round, for so many site updates a rank."""
        wanted = round(updates * self.ranks / self.length**2)
        steps = min(max(wanted, FEWEST_STEPS), MOST_STEPS)
        return min(8 * steps, MOST_STEPS), steps


def cases(ranks: Sequence[int], sizes: Sequence[int], weak: Sequence[int]) -> list[Case]:
    """Return the cases of a study, those of few ranks first.

    Parameters
    ----------
    sizes : sequence of int
        L of strong scaling, each on all numbers of ranks that have lines enough.
    weak : sequence of int
        L of weak scaling on one rank.
    """
    strong = {Case(p, length) for p in ranks for length in sizes}
    grown = {Case(p, smooth_length(length * math.sqrt(p))) for p in ranks for length in weak}
    return sorted(case for case in strong | grown if 2 * case.ranks <= case.length)


def smooth_length(wanted: float) -> int:
    """Return the even number nearest to `wanted` that has no prime factor above 5: a fast one."""
    candidates = [
        2**a * 3**b * 5**c
        for a in range(1, 21)
        for b in range(4)
        for c in range(4)
    ]  # fmt: skip
    return min(candidates, key=lambda n: (abs(n - wanted), n))


def command(
    case: Case, launcher: str, ranks_per_node: int, file: Path, updates: int, options: str
) -> list[str]:
    """Return the command that measures a case and appends its row to a CSV file.

    Parameters
    ----------
    launcher : str
        Such as ``srun --nodes={nodes} --ntasks={ranks}``.
    options : str
        More options of ``benchmarks.step``.
    """
    warmup, steps = case.steps(updates)
    benchmark = [sys.executable, "-m", "benchmarks.step", "--sizes", str(case.length)]
    benchmark += ["--split"]  # the model wants the time of each stage
    benchmark += ["--warmup", str(warmup), "--steps", str(steps), "--csv", str(file)]
    nodes = -(-case.ranks // ranks_per_node)
    before = shlex.split(launcher.format(ranks=case.ranks, nodes=nodes))
    return [*before, *benchmark, *shlex.split(options)]


Family = list[Measurement]  # over growing numbers of ranks


def _kinds(measured: Sequence[Measurement]) -> list[list[Measurement]]:
    """Return the measurements by precision and density of tracers."""
    kinds: dict[tuple, list[Measurement]] = {}
    for m in measured:
        density = round(m.work.length**2 / m.work.tracers) if m.work.tracers else 0
        kinds.setdefault((density, m.work.interpolation, m.work.precision), []).append(m)
    return [kinds[key] for key in sorted(kinds)]


def strong_families(measured: Sequence[Measurement]) -> list[Family]:
    """Return the rows of each lattice that was measured on several numbers of ranks."""
    families = []
    for rows in _kinds(measured):
        for length in sorted({m.work.length for m in rows}):
            found = [m for m in rows if m.work.length == length]
            families.append(sorted(found, key=lambda m: m.work.ranks))
    return [family for family in families if len(family) > 1]


def weak_families(measured: Sequence[Measurement]) -> list[Family]:
    """Return the rows with nearly the same number of sites a rank, on several numbers of ranks."""
    families = []
    for rows in _kinds(measured):
        least = min(m.work.ranks for m in rows)
        for first in sorted((m for m in rows if m.work.ranks == least), key=_load):
            alike = {m.work.ranks: m for m in rows if abs(_load(m) / _load(first) - 1) < SAME_LOAD}
            families.append([alike[ranks] for ranks in sorted(alike)])
    return [family for family in families if len(family) > 1]


def _load(m: Measurement) -> float:
    """Return the sites of a rank."""
    return m.work.length**2 / m.work.ranks


def efficiency(family: Family) -> list[float]:
    """Return the efficiencies against the fewest ranks, per site: of strong and weak families."""
    cost = [m.seconds * m.work.ranks / m.work.length**2 for m in family]
    return [cost[0] / each for each in cost]


def share(m: Measurement) -> float:
    """Return the share of the exchange in a step, waiting for the slowest rank included."""
    return m.stages["exchange"] / m.seconds


def table(measured: Sequence[Measurement]) -> str:
    """Return the families as text."""
    lines = []
    for title, families in (
        ("strong scaling", strong_families(measured)),
        ("weak scaling", weak_families(measured)),
    ):
        if families:
            header = f"{'L':>7}{'ranks':>7}{'tracers':>10}{'ms a step':>12}{'efficiency':>12}"
            lines += [title, header + f"{'exchange':>10}"]
        for family in families:
            for m, reached in zip(family, efficiency(family), strict=True):
                lines.append(
                    f"{m.work.length:>7}{m.work.ranks:>7}{m.work.tracers:>10}"
                    f"{1e3 * m.seconds:>12.3f}{reached:>12.2f}{100 * share(m):>9.0f}%"
                )
    return "\n".join(lines)
