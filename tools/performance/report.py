"""Predictions and their validation as text: what is measured is kept apart from what is not."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence

from performance.calibration import Comparison
from performance.machines import CUFFTMP
from performance.model import Machine, Prediction, efficiencies

PAYS = 0.5  # parallel efficiency above which ranks are worth their price

Families = Sequence[Sequence[Prediction]]  # one a lattice size, over growing numbers of ranks


def predictions_text(machine: Machine, families: Families) -> str:
    """Return the tables of a machine: times, efficiencies, memory, and where slabs stop paying.

    Efficiencies are against the fewest ranks that hold the lattice.
    """
    first = families[0][0].work
    tracers = round(first.length**2 / first.tracers) if first.tracers else 0
    what = f"one tracer on {tracers} sites" if tracers else "no tracers"
    lines = [
        f"{machine.name}: {machine.description}. Predicted, not measured.",
        f"{first.precision} precision, {what}; L down, ranks across; - does not fit",
        "",
        *_table("ms a step", families, lambda p, e: milliseconds(p.seconds)),
        *_table("parallel efficiency, %", families, lambda p, e: f"{100 * e:.0f}"),
        *_table("share of the exchange, %", families, lambda p, e: f"{_share(p):.0f}"),
        *_table("GB of arrays a rank", families, lambda p, e: f"{p.work.memory / 1e9:.2g}"),
        *_limits(families),
    ]
    return "\n".join(lines)


def milliseconds(seconds: float) -> str:
    """Return a time in ms with three digits."""
    return f"{1e3 * seconds:.3g}" if seconds < 1 else f"{1e3 * seconds:.0f}"


def _share(prediction: Prediction) -> float:
    return 100 * prediction.exchange / prediction.seconds


def _table(title: str, families: Families, cell: Callable[[Prediction, float], str]) -> list[str]:
    ranks = sorted({p.work.ranks for family in families for p in family})
    lines = [title, "     L" + "".join(f"{count:>8}" for count in ranks)]
    for family in families:
        pairs = zip(family, efficiencies(family), strict=True)
        said = {p.work.ranks: cell(p, efficiency) for p, efficiency in pairs}
        cells = "".join(f"{said.get(count, '-'):>8}" for count in ranks)
        lines.append(f"{family[0].work.length:>6}" + cells)
    return [*lines, ""]


def _limits(families: Families) -> list[str]:
    """Return, for each size, how many ranks pay, how many are fastest, and what comes next."""
    lines = [
        f"where slabs stop paying: most ranks at {100 * PAYS:.0f} % efficiency, the fastest step, "
        "what holds it",
        "back there, and the fastest step with one change (ms at ranks)",
        f"{'L':>6}{'least':>7}{'pay':>6}{'fastest':>15}{'held back by':>16}"
        f"{'overlap':>16}{'two hops':>16}{'hosts':>16}{'single wire':>16}",
    ]
    for family in families:
        best = min(family, key=lambda p: p.seconds)
        changed = [
            min((getattr(p, name), p.work.ranks) for p in family)
            for name in ("overlapped", "two_hops", "between_hosts", "single_wire")
        ]
        cells = [(best.seconds, best.work.ranks), *changed]
        said = [f"{milliseconds(seconds)} at {ranks}" for seconds, ranks in cells]
        lines.append(
            f"{best.work.length:>6}{family[0].work.ranks:>7}{paying(family):>6}{said[0]:>16}"
            f"{bound(best):>16}" + "".join(f"{cell:>16}" for cell in said[1:])
        )
    return [
        *lines,
        "",
        "overlap: the exchange hides behind the computation as far as it can; two hops: inside",
        "nodes, then between them, P / n long messages in place of P short ones; hosts: a message",
        "from each node to each other, whose ranks share memory, as CPUs do; single wire: numbers",
        "travel in single precision. Slabs go down to single lines, P <= L / 2, as far as",
        "pencils go in two dimensions: more ranks would have to cut the lines themselves.",
    ]


def paying(family: Sequence[Prediction]) -> int:
    """Return the largest number of ranks at which the efficiency is still at least PAYS."""
    pairs = zip(family, efficiencies(family), strict=True)
    return max(p.work.ranks for p, e in pairs if e >= PAYS)


def bound(prediction: Prediction) -> str:
    """Return what most of a step goes into: computing, the bytes or the number of messages."""
    parts = {
        "computing": prediction.computing,
        "bytes sent": prediction.transport,
        "messages": prediction.messages,
    }
    return max(parts, key=parts.__getitem__)


def validation_text(compared: Sequence[Comparison]) -> str:
    """Return the measured steps beside the model, with its errors."""
    lines = [
        "measured steps beside the model, fitted to all rows and to those of the other sizes only",
        f"{'L':>6}{'ranks':>6}{'tracers':>9}{'measured':>12}{'fitted':>20}{'unseen':>20}",
    ]
    for item in sorted(compared, key=lambda c: (c.measured.work.ranks, c.measured.work.length)):
        work, measured = item.measured.work, item.measured.seconds
        lines.append(
            f"{work.length:>6}{work.ranks:>6}{work.tracers:>9}{1e3 * measured:>9.2f} ms"
            + "".join(_beside(seconds, measured) for seconds in (item.fitted, item.unseen))
        )
    for number, what in enumerate(("fitted", "unseen")):
        errors = [abs(c.errors[number]) for c in compared if not math.isnan(c.errors[number])]
        if errors:
            lines.append(
                f"{what}: median error {100 * statistics.median(errors):.1f} %, largest "
                f"{100 * max(errors):.1f} %, {len(errors)} steps"
            )
    return "\n".join(lines)


def _beside(seconds: float, measured: float) -> str:
    if math.isnan(seconds):
        return f"{'-':>20}"
    return f"{1e3 * seconds:>9.2f} ms {100 * (seconds / measured - 1):>+6.1f}%"


def published_text() -> str:
    """Return published times of distributed transforms beside the model of GPUs and networks."""
    lines = [
        "published transforms (cuFFTMp on A100 nodes with HDR) beside this model of network and",
        "memory; its 70 % and its 1 us a message were chosen in view of them: consistency, no test",
    ]
    for item in CUFFTMP:
        error = 100 * (item.predicted / item.published - 1)
        lines.append(
            f"{item.what:<24}{1e3 * item.published:>8.1f} ms published"
            f"{1e3 * item.predicted:>8.1f} ms predicted{error:>+7.1f}%"
        )
    return "\n".join(lines)
