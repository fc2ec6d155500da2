"""Laws that a scan fits to its rows: Arrhenius, the order of the time step, ln L, one value.

    [[scan.fits]]
    quantity = "activity"
    law = "arrhenius"
    against = "model.temperature"        # a key, or a section: then x is the number of the row
    range = [0.0, 0.1]                   # of that key; default: all
    expected = [3.1, 0.48]               # parameters to compare with, optional

Each family of rows is fitted by itself, weighted by the errors, by least squares; the errors of the
parameters grow by the square root of chi^2 per degree of freedom where that is above 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import curve_fit

from epmpi.campaign.families import Family, Table, families
from epmpi.config import ConfigError
from epmpi.config.keys import shown

Array = NDArray[np.float64]
DEFAULT_STEP = 0.05  # tau; of configurations
SMALLEST_ERROR = 1e-4  # relative: no point is better known


@dataclass(frozen=True)
class Law:
    """A function of one key.

    Attributes
    ----------
    formula : str
    names : tuple of str
        Its parameters.
    function : callable
        Of x and the parameters.
    start : callable
        Returns where the search for them begins, from x and y.
    """

    formula: str
    names: tuple[str, ...]
    function: Callable[..., Array]
    start: Callable[[Array, Array], Sequence[float]]


def _arrhenius(t: Array, prefactor: float, energy: float) -> Array:
    return prefactor * np.exp(-energy / t)


def _second_order(step: Array, limit: float, bias: float) -> Array:
    return limit * (1 + bias * (step / DEFAULT_STEP) ** 2)


def _order(step: Array, limit: float, bias: float, order: float) -> Array:
    return limit * (1 + bias * (step / DEFAULT_STEP) ** order)


LAWS = {
    "arrhenius": Law(
        "A exp(-E/x)", ("A", "E"), _arrhenius,
        lambda t, y: (y.max() * np.exp(0.5 / t[y.argmax()]), 0.5),
    ),
    "second_order": Law(
        f"y0 (1 + b (x/{DEFAULT_STEP:g})^2)", ("y0", "b"), _second_order,
        lambda x, y: (y[x.argmin()], 0.0),
    ),
    "order": Law(
        f"y0 (1 + b (x/{DEFAULT_STEP:g})^p)", ("y0", "b", "p"), _order,
        lambda x, y: (
            y[x.argmin()],
            (y[x.argmax()] / y[x.argmin()] - 1) * (DEFAULT_STEP / x.max()) ** 2,
            2.0,
        ),
    ),
    "logarithm": Law(
        "c + s ln x", ("c", "s"), lambda x, c, s: c + s * np.log(x), lambda x, y: (y.mean(), 0.0)
    ),
    "equal": Law("c", ("c",), lambda x, c: np.full_like(x, c), lambda x, y: (y.mean(),)),
}  # fmt: skip


@dataclass(frozen=True)
class Request:
    """A fit that a campaign asks for."""

    quantity: str
    law: str
    against: str
    low: float
    high: float
    expected: tuple[float, ...]


@dataclass(frozen=True)
class Fit:
    """A law fitted to one family.

    Attributes
    ----------
    request : Request
    label : str
        Of the family.
    value, error : array, shape (parameters,)
    chi_square, freedom : float, int
    over_expected : array
        The rows over the expected law; empty without one.
    """

    request: Request
    label: str
    value: Array
    error: Array
    chi_square: float
    freedom: int
    over_expected: Array

    @property
    def law(self) -> Law:
        """The law."""
        return LAWS[self.request.law]

    @property
    def probability(self) -> float:
        """Probability of a larger chi^2, if the law holds."""
        return float(stats.chi2.sf(self.chi_square, self.freedom)) if self.freedom else float("nan")

    def curve(self, x: Array) -> Array:
        """Return the fitted law."""
        return self.law.function(x, *self.value)


def read_requests(
    requests: Sequence[Mapping[str, Any]], quantities: Sequence[str]
) -> list[Request]:
    """Read the [[scan.fits]] of a campaign.

    Raises
    ------
    ConfigError
        If one is incomplete, or names what is not there.
    """
    found = []
    for one in requests:
        missing = {"quantity", "law", "against"} - set(one)
        unknown = set(one) - {"quantity", "law", "against", "range", "expected"}
        if missing or unknown:
            raise ConfigError(
                f"[[scan.fits]]: got {', '.join(one)}, expected quantity, law, against and perhaps "
                "range, expected"
            )
        if one["law"] not in list(LAWS):
            raise ConfigError(
                f"[[scan.fits]]: no law {shown(one['law'])}, known are {', '.join(LAWS)}"
            )
        if one["quantity"] not in list(quantities):
            raise ConfigError(
                f"[[scan.fits]]: {shown(one['quantity'])} is none of the quantities of this scan"
            )
        expected = _numbers(one, "expected", ())
        if len(expected) not in (0, len(LAWS[one["law"]].names)):
            names = ", ".join(LAWS[one["law"]].names)
            raise ConfigError(f"[[scan.fits]]: expected has {len(expected)} numbers, not {names}")
        span = _numbers(one, "range", (-np.inf, np.inf))
        if len(span) != 2:
            raise ConfigError(f"[[scan.fits]]: range has {len(span)} numbers, expected two")
        found.append(
            Request(one["quantity"], one["law"], str(one["against"]), span[0], span[1], expected)
        )
    return found


def _numbers(one: Mapping[str, Any], key: str, default: tuple[float, ...]) -> tuple[float, ...]:
    """Return a list of numbers; raise ConfigError if it is none."""
    given = one.get(key, default)
    if not isinstance(given, list | tuple) or any(type(x) not in (int, float) for x in given):
        raise ConfigError(f"[[scan.fits]]: {key} = {shown(given)}: expected a list of numbers")
    return tuple(float(x) for x in given)


def fit_all(requests: Sequence[Request], table: Table) -> list[Fit]:
    """Fit every family that has as many rows as its law has parameters, or more."""
    found = (
        fit(request, family)
        for request in requests
        for family in families(table, request.quantity, request.against)
    )
    return [one for one in found if one is not None]


def fit(request: Request, family: Family) -> Fit | None:
    """Fit a law to a family; None where it has too few rows, or no parameters can be found."""
    law = LAWS[request.law]
    inside = (family.x >= request.low) & (family.x <= request.high)
    x, y = family.x[inside], family.value[inside]
    if x.size < len(law.names):
        return None
    sigma = np.maximum(family.error[inside], SMALLEST_ERROR * np.abs(y))
    try:
        value, covariance = curve_fit(
            law.function, x, y, p0=law.start(x, y), sigma=sigma, absolute_sigma=True
        )
    except RuntimeError:
        return None
    chi_square = float(np.sum(((y - law.function(x, *value)) / sigma) ** 2))
    freedom = x.size - len(law.names)
    growth = max(chi_square / freedom, 1.0) if freedom else 1.0
    over = y / law.function(x, *request.expected) if request.expected else np.empty(0)
    error = np.sqrt(np.diag(covariance) * growth)
    return Fit(request, family.label, value, error, chi_square, freedom, over)
