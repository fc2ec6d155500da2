"""The rows of a scan as curves: a family for each combination of the keys that are not the axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.campaign.quantities import Mean

Table = Sequence[tuple[Mapping[str, Any], Mapping[str, Mean]]]

# Keys of length and output, which do not change the physics of a run.
BOOKKEEPING = ("time.warmup", "time.duration", "tracers.number")


@dataclass(frozen=True)
class Family:
    """Values of one quantity along one key.

    Attributes
    ----------
    label : str
        The other keys.
    x : array
        Of the key; where it is not a number, the number of the row.
    """

    label: str
    x: NDArray[np.float64]
    value: NDArray[np.float64]
    error: NDArray[np.float64]


def families(table: Table, quantity: str, axis: str) -> list[Family]:
    """Return the curves of a quantity, in the order of the table; rows without a value left out."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    for number, (changes, means) in enumerate(table):
        mean = means[quantity]
        points = found.setdefault(label_of(changes, axis), [])
        if np.isfinite(mean.value):
            points.append((place_of(changes.get(axis), number), mean.value, mean.error))
    return [Family(label, *np.array(points).T) for label, points in found.items() if points]


def label_of(changes: Mapping[str, Any], axis: str) -> str:
    """Return the keys of a row, except the axis, as a short text; empty for the defaults."""
    parts = [
        f"{key.split('.')[-1]} {as_text(value)}"
        for key, value in changes.items()
        if not is_axis(key, axis) and key not in BOOKKEEPING and not key.startswith("output.")
    ]
    return ", ".join(parts)


def is_axis(key: str, axis: str) -> bool:
    """Tell whether a key is the axis, or belongs to a section that is the axis."""
    return key == axis or key.startswith(f"{axis}.")


def axis_text(changes: Mapping[str, Any], axis: str) -> str:
    """Return the tick label of a row on an axis that is not a number."""
    return ", ".join(as_text(value) for key, value in changes.items() if is_axis(key, axis))


def place_of(value: Any, number: int) -> float:
    """Return the position of a value on the axis: that of a shape is its length."""
    if isinstance(value, list):
        return float(math.sqrt(math.prod(value)))
    return float(value) if isinstance(value, int | float) else float(number)


def as_text(value: Any) -> str:
    """Return a value of a key as a short text."""
    if isinstance(value, list):
        return "x".join(as_text(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
