"""Laws that a scan fits to its rows: Arrhenius, the order of the time step, ln L, one value.

    [[scan.fits]]
    quantity = "activity"
    law = "arrhenius"
    against = "model.temperature"        # a key; or a section: then x is the number of the row
    range = [0.0, 0.1]                   # of that key; default: all
    expected = [3.1, 0.48]               # parameters to compare with, optional

Each family of rows is fitted separately; weights and errors are those of `epmpi.analysis.fits` for
independent points.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis import fits
from epmpi.analysis.arrhenius import fit_arrhenius
from epmpi.campaign.families import Family, Table, families
from epmpi.config import ConfigError, TimeSettings
from epmpi.config.keys import shown

Array = NDArray[np.float64]
DEFAULT_STEP = TimeSettings().step  # tau


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
    fit : callable
        Of x, y and the errors of y; None where the parameters cannot be found.
    """

    formula: str
    names: tuple[str, ...]
    function: Callable[..., Array]
    fit: Callable[[Array, Array, Array], fits.Fit | None]


def _arrhenius(t: Array, prefactor: float, energy: float, curvature: float = 0.0) -> Array:
    return prefactor * np.exp(-energy / t + curvature / t**2)


def _straight(t: Array, y: Array, error: Array) -> fits.Fit | None:
    found = fit_arrhenius(t, y, error)
    return None if found is None else found.straight


def _curved(t: Array, y: Array, error: Array) -> fits.Fit | None:
    found = fit_arrhenius(t, y, error)
    return None if found is None else found.curved


def _order(step: Array, limit: float, bias: float, order: float = 2.0) -> Array:
    return limit * (1 + bias * (step / DEFAULT_STEP) ** order)


def _fit_second_order(step: Array, y: Array, error: Array) -> fits.Fit | None:
    found = _linear((step / DEFAULT_STEP) ** 2, y, error)
    limit, slope = found.value
    return found.changed([limit, slope / limit], [[1, 0], [-slope / limit**2, 1 / limit]])


def _fit_order(step: Array, y: Array, error: Array) -> fits.Fit | None:
    limit, total = y[step.argmin()], y[step.argmax()] / y[step.argmin()] - 1
    start = (limit, total * (DEFAULT_STEP / step.max()) ** 2, 2.0)
    sigma = fits.deviations(error, y, fits.ROWS)
    return fits.fit_curved(lambda *parameters: _order(step, *parameters), start, y, sigma)


def _fit_logarithm(x: Array, y: Array, error: Array) -> fits.Fit | None:
    return _linear(np.log(x), y, error)


def _fit_equal(x: Array, y: Array, error: Array) -> fits.Fit | None:
    return fits.fit_mean(y, fits.deviations(error, y, fits.ROWS))


def _linear(x: Array, y: Array, error: Array) -> fits.Fit:
    """Fit a constant and a slope."""
    columns = np.stack([np.ones_like(x), x], axis=1)
    return fits.fit_linear(columns, y, fits.deviations(error, y, fits.ROWS))


LAWS = {
    "arrhenius": Law("A exp(-E/x)", ("A", "E"), _arrhenius, _straight),
    "arrhenius_curved": Law("A exp(-E/x + c/x^2)", ("A", "E", "c"), _arrhenius, _curved),
    "second_order": Law(
        f"y0 (1 + b (x/{DEFAULT_STEP:g})^2)", ("y0", "b"), _order, _fit_second_order
    ),
    "order": Law(f"y0 (1 + b (x/{DEFAULT_STEP:g})^p)", ("y0", "b", "p"), _order, _fit_order),
    "logarithm": Law("c + s ln x", ("c", "s"), lambda x, c, s: c + s * np.log(x), _fit_logarithm),
    "equal": Law("c", ("c",), lambda x, c: np.full_like(x, c), _fit_equal),
}


@dataclass(frozen=True)
class Request:
    """A fit requested by a campaign."""

    quantity: str
    law: str
    against: str
    low: float
    high: float
    expected: tuple[float, ...]


@dataclass(frozen=True)
class FamilyFit(fits.Fit):
    """A law fitted to one family.

    Attributes
    ----------
    request : Request
    label : str
        Of the family.
    over_expected : array
        The rows divided by the expected law; empty without one.
    """

    request: Request
    label: str
    over_expected: Array

    @property
    def law(self) -> Law:
        """The law."""
        return LAWS[self.request.law]

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
        If one is incomplete, or names an unknown law or quantity.
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
    """Return a list of numbers; raise ConfigError if it is not one."""
    given = one.get(key, default)
    if not isinstance(given, list | tuple) or any(type(x) not in (int, float) for x in given):
        raise ConfigError(f"[[scan.fits]]: {key} = {shown(given)}: expected a list of numbers")
    return tuple(float(x) for x in given)


def fit_all(requests: Sequence[Request], table: Table) -> list[FamilyFit]:
    """Fit every family that has as many rows as its law has parameters, or more."""
    found = (
        fit(request, family)
        for request in requests
        for family in families(table, request.quantity, request.against)
    )
    return [one for one in found if one is not None]


def unfitted(requests: Sequence[Request], table: Table, found: Sequence[FamilyFit]) -> list[str]:
    """Return a line for each law and family that could not be fitted, with the reason."""
    lines = []
    for request in requests:
        what = f"{request.quantity} = {LAWS[request.law].formula}, x = {request.against}"
        fitted = {one.label for one in found if one.request == request}
        known = families(table, request.quantity, request.against)
        if not known:
            lines.append(f"no fit of {what}: no row has this quantity")
        for family in known:
            if family.label in fitted:
                continue
            needed, number = len(LAWS[request.law].names), np.unique(_used(request, family)[0]).size
            why = "no parameters are found"
            if number < needed:
                why = f"{number} values of x with an error, {needed} needed"
            lines.append(f"no fit of {what} for {family.label or 'all rows'}: {why}")
    return lines


def _used(request: Request, family: Family) -> tuple[Array, Array, Array]:
    """Return x, y and its error of the rows in the range that have an error."""
    used = (family.x >= request.low) & (family.x <= request.high) & np.isfinite(family.error)
    return family.x[used], family.value[used], family.error[used]


def fit(request: Request, family: Family) -> FamilyFit | None:
    """Fit a law to the rows of a family that have an error; None if the fit fails."""
    law = LAWS[request.law]
    x, y, error = _used(request, family)
    if np.unique(x).size < len(law.names):
        return None
    found = law.fit(x, y, error)
    if found is None:
        return None
    over = y / law.function(x, *request.expected) if request.expected else np.empty(0)
    return FamilyFit(**vars(found), request=request, label=family.label, over_expected=over)
