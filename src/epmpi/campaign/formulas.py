"""The formulas of the laws that a scan fits, each with its fit to independent points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis import fits
from epmpi.config import TimeSettings

Array = NDArray[np.float64]
DEFAULT_STEP = TimeSettings().step  # tau


@dataclass(frozen=True)
class Law:
    """A function of one key.

    Attributes
    ----------
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


def fit_arrhenius(t: Array, y: Array, error: Array, *, curved: bool = False) -> fits.Fit | None:
    """Fit ln y = ln A - E/T, `curved` + c/T^2: then the slope against 1/T is -E + 2 c/T.

    Points that are not positive, or whose error is not known, are left out.

    Returns
    -------
    Fit or None
        Of A, E and c; None with fewer temperatures than parameters.
    """
    used = (y > 0) & np.isfinite(error)
    t, y, error = t[used], y[used], error[used]
    number = 3 if curved else 2
    if np.unique(t).size < number:
        return None
    columns = np.stack([np.ones_like(t), -1 / t, t**-2.0], axis=1)[:, :number]
    return _with_height(
        fits.fit_linear(columns, np.log(y), fits.deviations(error, y, fits.ROWS) / y)
    )


def _with_height(fit: fits.Fit) -> fits.Fit:
    """Return the fit of ln A, ... as one of A, ..."""
    height = np.exp(fit.value[0])
    jacobian = np.diag([height, *np.ones(fit.value.size - 1)])
    return fit.changed([height, *fit.value[1:]], jacobian)


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


def _power(x: Array, height: float, exponent: float) -> Array:
    return height * x**exponent


def _fit_power(x: Array, y: Array, error: Array) -> fits.Fit | None:
    """Fit in logarithms."""
    if np.any(y <= 0):
        return None
    return _with_height(_linear(np.log(x), np.log(y), error / y))


def _merging(t: Array, half: float, energy: float) -> Array:
    return -np.expm1(-np.log(2) * np.exp(energy / half - energy / t))


def _fit_merging(t: Array, y: Array, error: Array) -> fits.Fit | None:
    """Fit the logarithm of -ln(1 - y) against 1/T; rows that are 0 or 1 tell nothing."""
    used = (y > 0) & (y < 1)
    t, y, error = t[used], y[used], error[used]
    if np.unique(t).size < 2:
        return None
    hazard = -np.log1p(-y)
    found = fits.fit_linear(
        np.stack([np.ones_like(t), -1 / t], axis=1),
        np.log(hazard / np.log(2)),
        fits.deviations(error / ((1 - y) * hazard), np.ones_like(t), fits.ROWS),
    )
    ratio, energy = found.value
    half = energy / ratio
    return found.changed([half, energy], [[-half / ratio, 1 / ratio], [0, 1]])


def _fit_equal(x: Array, y: Array, error: Array) -> fits.Fit | None:
    return fits.fit_mean(y, fits.deviations(error, y, fits.ROWS))


def _linear(x: Array, y: Array, error: Array) -> fits.Fit:
    """Fit a constant and a slope."""
    columns = np.stack([np.ones_like(x), x], axis=1)
    return fits.fit_linear(columns, y, fits.deviations(error, y, fits.ROWS))


LAWS = {
    "arrhenius": Law("A exp(-E/x)", ("A", "E"), _arrhenius, fit_arrhenius),
    "arrhenius_curved": Law(
        "A exp(-E/x + c/x^2)", ("A", "E", "c"), _arrhenius, partial(fit_arrhenius, curved=True)
    ),
    "second_order": Law(
        f"y0 (1 + b (x/{DEFAULT_STEP:g})^2)", ("y0", "b"), _order, _fit_second_order
    ),
    "order": Law(f"y0 (1 + b (x/{DEFAULT_STEP:g})^p)", ("y0", "b", "p"), _order, _fit_order),
    "logarithm": Law("c + s ln x", ("c", "s"), lambda x, c, s: c + s * np.log(x), _fit_logarithm),
    "power": Law("A x^p", ("A", "p"), _power, _fit_power),
    "merging": Law("1 - 2^(-exp(E/Tc - E/x))", ("Tc", "E"), _merging, _fit_merging),
    "equal": Law("c", ("c",), lambda x, c: np.full_like(x, c), _fit_equal),
}
