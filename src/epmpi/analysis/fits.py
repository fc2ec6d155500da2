"""Least squares: the weights of the points, the parameters of a law, and their errors.

All fits of this package follow these rules.

*Weights.*  A point weighs 1/sigma^2, sigma^2 = error^2 + (tolerance scale)^2.  The tolerance is the
relative accuracy of the law; without it, a point with a much smaller error would decide alone.  It
is `CURVE` for the points of one curve, and nearly zero, `ROWS`, for means of independent runs.  A
point of a curve whose error is unknown gets the largest error of the others.

*Errors of independent points.*  The covariance of least squares, times chi^2 per degree of freedom
where that is above 1: points that scatter by more than their errors show that these are too small,
or that the law does not hold; a smaller scatter is chance (R. T. Birge, Phys. Rev. 40, 207 (1932)).
A stated error then covers the truth at 68 %, with few degrees of freedom at up to 73 %.

*Errors of points of one curve.*  Lags of S(q,t), bins of psi, ... come from one run and are
correlated, so chi^2 does not apply.  The fit is repeated with each block of the run, or each
replica, left out in turn, and the error is that of the jackknife (`blocks.jackknifed`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.optimize import OptimizeWarning, curve_fit

ROWS = 1e-5  # tolerance of means of independent runs: their errors decide
CURVE = 0.02  # tolerance of points of one curve
MOST_CALLS = 2000  # of a law that is not linear in its parameters

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """A law fitted to independent points.

    Attributes
    ----------
    value : array, shape (parameters,)
    covariance : array, shape (parameters, parameters)
        Of least squares, not scaled by chi^2.
    chi_square : float
    freedom : int
        Number of points minus number of parameters.
    """

    value: Array
    covariance: Array
    chi_square: float
    freedom: int

    @property
    def error(self) -> Array:
        """Errors of the parameters, larger where points scatter by more than their errors."""
        growth = max(self.chi_square / self.freedom, 1.0) if self.freedom else 1.0
        return np.sqrt(np.diag(self.covariance) * growth)

    @property
    def probability(self) -> float:
        """Probability of a larger chi^2, if the law and the errors of the points hold."""
        return float(stats.chi2.sf(self.chi_square, self.freedom)) if self.freedom else float("nan")

    def changed(self, value: ArrayLike, jacobian: ArrayLike) -> Fit:
        """Return the same fit in other parameters.

        Parameters
        ----------
        value : array, shape (new parameters,)
        jacobian : array, shape (new parameters, parameters)
            Their derivatives with respect to the old ones.
        """
        by_old = np.asarray(jacobian, dtype=np.float64)
        covariance = by_old @ self.covariance @ by_old.T
        return Fit(np.asarray(value, np.float64), covariance, self.chi_square, self.freedom)


def deviations(error: ArrayLike, scale: ArrayLike, tolerance: float) -> Array:
    """Return sigma of each point, shape (points,).

    Parameters
    ----------
    error : array, shape (points,)
        nan where it is not known.
    scale : array, shape (points,)
        The quantity that the tolerance is a fraction of, for instance the value.
    """
    size = np.abs(np.asarray(scale, dtype=np.float64))
    given = np.asarray(error, dtype=np.float64)
    known = np.isfinite(given)
    worst = np.max(given[known & (size > 0)] / size[known & (size > 0)], initial=0.0)
    return np.asarray(np.hypot(np.where(known, given, worst * size), tolerance * size))


def solve_linear(columns: ArrayLike, y: ArrayLike, sigma: ArrayLike | float = 1.0) -> Array:
    """Return the parameters of y = sum_k parameter_k column_k by weighted least squares.

    Parameters
    ----------
    columns : array, shape (points, parameters)
    y : array, shape (points,) or (points, several)
    sigma : array, shape (points,), or a number

    Returns
    -------
    array, shape (parameters,) or (parameters, several)
    """
    weight = 1 / np.broadcast_to(np.asarray(sigma, np.float64), len(np.asarray(y)))
    inverse = np.linalg.pinv(weight[:, None] * np.asarray(columns, np.float64))
    return np.asarray((inverse * weight) @ np.asarray(y, np.float64))


def fit_linear(columns: ArrayLike, y: ArrayLike, sigma: ArrayLike) -> Fit:
    """Fit a law that is linear in its parameters; see `solve_linear`."""
    design, y, sigma = (np.asarray(one, dtype=np.float64) for one in (columns, y, sigma))
    value = solve_linear(design, y, sigma)
    inverse = np.linalg.pinv(design / sigma[:, None])
    chi_square = float(np.sum(((y - design @ value) / sigma) ** 2))
    return Fit(value, inverse @ inverse.T, chi_square, y.size - value.size)


def fit_curved(
    law: Callable[..., Array], start: Sequence[float], y: ArrayLike, sigma: ArrayLike
) -> Fit | None:
    """Fit a law that is not linear in its parameters; None where they cannot be found.

    Parameters
    ----------
    law : callable
        Of the parameters; returns an array of the shape of y.
    start : sequence of float
        Starting point of the search.
    y, sigma : array, shape (points,)
    """
    y, sigma = (np.asarray(one, dtype=np.float64) for one in (y, sigma))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", OptimizeWarning)  # a covariance that is not finite
            value, covariance = curve_fit(
                lambda _, *parameters: law(*parameters), y, y,
                p0=start, sigma=sigma, absolute_sigma=True, maxfev=MOST_CALLS,
            )  # fmt: skip
    except (RuntimeError, OptimizeWarning):
        return None
    chi_square = float(np.sum(((y - law(*value)) / sigma) ** 2))
    return Fit(value, covariance, chi_square, y.size - len(start))


def fit_mean(y: ArrayLike, sigma: ArrayLike) -> Fit:
    """Fit one value to points: their weighted mean."""
    return fit_linear(np.ones((len(np.asarray(y)), 1)), y, sigma)
