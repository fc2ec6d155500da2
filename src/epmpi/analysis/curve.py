"""A measured function with error bars: the common form of most observables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from epmpi.analysis.blocks import FEWEST_BLOCKS, block_average, jackknifed, leave_one_out


@dataclass(frozen=True)
class Curve:
    """Values of an observable with their errors.

    Attributes
    ----------
    name : str
        As in analysis.h5.
    definition : str
        Formula and normalisation.
    argument : str
        Name of the abscissa.
    x, value, error : array, shape (points,)
        Abscissa, value, and half of the 68.3 % interval.
    parameters : dict of str to float
        Numbers that belong to the curve: fits of it, its lag, ...
    left_out : array, shape (blocks, points), optional
        The values with each block of the run, or each replica, left out in turn: for the errors of
        fits to the curve, whose points are correlated.
    """

    name: str
    definition: str
    argument: str
    x: NDArray[np.float64]
    value: NDArray[np.float64]
    error: NDArray[np.float64]
    x_unit: str = "1"
    unit: str = "1"
    parameters: dict[str, float] = field(default_factory=dict)
    left_out: NDArray[np.float64] | None = None

    def scaled(self, x_factor: float, value_factor: float) -> Curve:
        """Return the curve with both axes multiplied by factors, units dropped."""
        left_out = None if self.left_out is None else self.left_out * value_factor
        value, error = self.value * value_factor, self.error * value_factor
        x = self.x * x_factor
        return replace(self, x=x, value=value, error=error, x_unit="1", unit="1", left_out=left_out)

    def part(self, chosen: slice | NDArray[np.bool_]) -> Curve:
        """Return the curve with only the chosen points."""
        left_out = None if self.left_out is None else self.left_out[:, chosen]
        x, value, error = self.x[chosen], self.value[chosen], self.error[chosen]
        return replace(self, x=x, value=value, error=error, left_out=left_out)


@dataclass(frozen=True)
class FittedLaw:
    """A law that was fitted to a curve.

    Attributes
    ----------
    law : str
        The formula.
    names : tuple of str
    value, error : array, shape (names,)
    span : (float, float)
        First and last abscissa of the fit.
    """

    law: str
    names: tuple[str, ...]
    value: NDArray[np.float64]
    error: NDArray[np.float64]
    span: tuple[float, float]

    def parameter(self, name: str) -> tuple[float, float]:
        """Return a parameter and its error."""
        index = self.names.index(name)
        return float(self.value[index]), float(self.error[index])


@dataclass(frozen=True)
class Results:
    """Curves of one source, and the laws fitted to them, by their names."""

    curves: list[Curve]
    laws: dict[str, FittedLaw]

    @classmethod
    def of(cls, curves: list[Curve], laws: Mapping[str, FittedLaw | None]) -> Results:
        """Return the results with those laws that were found."""
        return cls(curves, {name: law for name, law in laws.items() if law is not None})


def with_errors(names: Sequence[str], value: ArrayLike, error: ArrayLike) -> dict[str, float]:
    """Return numbers that belong to a curve, as NAME and NAME_error, in order."""
    found: dict[str, float] = {}
    for name, number, spread in zip(names, np.ravel(value), np.ravel(error), strict=True):
        found |= {name: float(number), f"{name}_error": float(spread)}
    return found


def shared_blocks(*series: NDArray, replicas: int = 1) -> int:
    """Return a number of blocks that is small enough for each of several correlated series."""
    if replicas > 1:
        return replicas
    return max(min(block_average(values).blocks for values in series), 2)


def average_function(
    function: Callable[..., float], *series: NDArray, replicas: int = 1
) -> tuple[float, float]:
    """Return a function of averages over origins, and its jackknife error.

    Parameters
    ----------
    function : callable
        Of as many averages as there are series.
    *series : arrays, shape (origins,)
        Each long enough for `FEWEST_BLOCKS` blocks, else the error is nan.
    replicas : int
        As in `block_average`.
    """
    means = np.array([np.mean(values) for values in series])
    left_out = None
    if replicas > 1 or min(np.size(values) for values in series) >= FEWEST_BLOCKS:
        left_out = leave_one_out(list(series), shared_blocks(*series, replicas=replicas))
    with np.errstate(divide="ignore", invalid="ignore"):
        value, error = jackknifed(lambda row: function(*row), means, left_out)
    return float(value), float(error)
