"""The Arrhenius law of the activity, and its curvature.

    ln a = ln A - E/T              straight
    ln a = ln A - E/T + c/T^2      curved: the slope against 1/T is -E + 2 c/T

Fitted in ln a, where both are linear, to means of independent runs (`fits`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from epmpi.analysis.fits import ROWS, Fit, deviations, fit_linear


@dataclass(frozen=True)
class Arrhenius:
    """The law without and with curvature, fitted to the same points.

    Attributes
    ----------
    temperatures : tuple of float
    straight : Fit
        Of A and E.
    curved : Fit or None
        Of A, E and c; None with two temperatures.
    """

    temperatures: tuple[float, ...]
    straight: Fit
    curved: Fit | None


def fit_arrhenius(temperature: ArrayLike, value: ArrayLike, error: ArrayLike) -> Arrhenius | None:
    """Fit the law; None with fewer than two temperatures.

    Parameters
    ----------
    temperature, value, error : array, shape (points,)
        Points that are not positive, or whose error is not known, are left out.
    """
    t, a, sigma = (np.asarray(one, dtype=np.float64) for one in (temperature, value, error))
    used = (a > 0) & np.isfinite(sigma)
    t, a, sigma = t[used], a[used], deviations(sigma[used], a[used], ROWS) / a[used]
    known = np.unique(t).size
    if known < 2:
        return None
    columns = np.stack([np.ones_like(t), -1 / t, t**-2.0], axis=1)
    straight = _with_prefactor(fit_linear(columns[:, :2], np.log(a), sigma))
    curved = _with_prefactor(fit_linear(columns, np.log(a), sigma)) if known > 2 else None
    return Arrhenius(tuple(t.tolist()), straight, curved)


def _with_prefactor(fit: Fit) -> Fit:
    """Return the fit of ln A, ... as one of A, ..."""
    prefactor = float(np.exp(fit.value[0]))
    jacobian = np.diag([prefactor, *np.ones(fit.value.size - 1)])
    return fit.changed([prefactor, *fit.value[1:]], jacobian)
