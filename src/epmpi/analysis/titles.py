"""The title of the figures of a run: model, temperature or activity, rate, lattice."""

from __future__ import annotations

from collections.abc import Sequence

from epmpi.analysis.completeness import Shortfall
from epmpi.analysis.run_file import RunFile


def title(runs: Sequence[RunFile], cut: Shortfall | None) -> str:
    """Return the title of the figures: the run, number of replicas, and an early stop."""
    replicas = f",  {len(runs)} replicas" if len(runs) > 1 else ""
    return describe(runs[0]) + replicas + (f"\n{cut.brief}" if cut else "")


def describe(run: RunFile) -> str:
    """Return the title of a run's figures: the model, temperature or activity, rate, lattice."""
    activation = run.parameter("model", "activation", "")
    key, symbol = ("activity", "a") if activation == "random" else ("temperature", "T")
    parts = [f"{activation} model"] if activation else []
    if value := _in_words(run, key):
        parts.append(f"${symbol} {value}$")
    rate = _in_words(run, "strain_rate")
    if rate and rate != "= 0":
        parts.append(rf"$\dot\gamma {rate}$")
    parts.append(rf"${run.shape[0]} \times {run.shape[1]}$")
    return ",  ".join(parts)


def _in_words(run: RunFile, key: str) -> str:
    """Return the value of a key; its first and last value if it was changed during the run."""
    if run.has(f"observables/{key}"):
        values = run.series(key)[1]
        low, high = values.min(), values.max()
        return f"= {low:g}" if low == high else rf"= {low:g}\ldots{high:g}"
    value = run.parameter("model", key)
    return "" if value is None else f"= {value:g}"
