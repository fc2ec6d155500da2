"""Laws that a scan fits to its rows: Arrhenius, the order of the time step, ln L, powers, ...

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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from epmpi.analysis import fits
from epmpi.campaign.families import Family, Table, families
from epmpi.campaign.formulas import LAWS, Array, Law
from epmpi.config import ConfigError
from epmpi.config.keys import shown

REQUIRED = {"quantity", "law", "against"}


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
        if not REQUIRED <= set(one) <= REQUIRED | {"range", "expected"}:
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


def fit_all(requests: Sequence[Request], table: Table) -> tuple[list[FamilyFit], list[str]]:
    """Fit every family; return the fits, and a line with the reason for each that failed."""
    fitted, lines = [], []
    for request in requests:
        names = LAWS[request.law].names
        what = f"{request.quantity} = {LAWS[request.law].formula}, x = {request.against}"
        known = families(table, request.quantity, request.against)
        if not known:
            lines.append(f"no fit of {what}: no row has this quantity")
        for family in known:
            found = fit(request, family)
            if found is not None:
                fitted.append(found)
                continue
            number, why = np.unique(_used(request, family)[0]).size, "no parameters are found"
            if number < len(names):
                why = f"{number} values of x with an error, {len(names)} needed"
            lines.append(f"no fit of {what} for {family.label or 'all rows'}: {why}")
    return fitted, lines


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
