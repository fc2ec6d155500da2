"""The local stress: its distribution P(sigma), and the decay of its autocorrelation C_sigma(t)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.blocks import jackknifed
from epmpi.analysis.curve import Curve, FittedLaw
from epmpi.analysis.distribution import Histogram
from epmpi.analysis.fits import CURVE, deviations, fit_curved

EDGES = np.linspace(-2.5, 2.5, 126)  # yield stresses
LOWEST = 0.05  # fitted values of C_sigma lie above this

DISTRIBUTION = (
    "P(sigma): probability density of the local stress over sites and frames, in units of the "
    "yield stress; normalised to 1 with the values outside the bins counted in; errors from 16 "
    "blocks of frames, or from replicas"
)
LAW = "C(t) = A exp(-(t/tau)^beta)"


class StressDistribution(Histogram):
    """Counts of the local stress in linear bins, in yield stresses."""

    def __init__(self, frames: int, yield_stress: float) -> None:
        super().__init__(EDGES, frames)
        self.yield_stress = yield_stress

    def add(self, values: NDArray[np.float64]) -> None:
        """Add the stress of some sites, shape (frames, sites)."""
        super().add(values / self.yield_stress)

    def result(self) -> Curve:
        """Return P(sigma)."""
        density, error, _ = self.density()
        centre = (EDGES[1:] + EDGES[:-1]) / 2
        mean = float(np.average(centre, weights=density))
        variance = float(np.average((centre - mean) ** 2, weights=density))
        fourth = float(np.average((centre - mean) ** 4, weights=density))
        return Curve(
            "stress_distribution",
            DISTRIBUTION,
            "stress",
            centre,
            density,
            error,
            "yield stress",
            "1/yield stress",
            {
                "mean": mean,
                "variance": variance,
                "excess_kurtosis": fourth / variance**2 - 3 if variance > 0 else float("nan"),
            },
        )


def fit_stretched_exponential(curve: Curve) -> FittedLaw | None:
    """Fit A exp(-(t/tau)^beta) to a decaying correlation, from its first lag down to `LOWEST`.

    The tolerance of the weights is relative to -ln C, as in the fits of S(q,t).

    Returns
    -------
    FittedLaw or None
        Parameters A, tau (in units of the abscissa), beta; None with fewer than five points.
    """
    low = np.flatnonzero(curve.value <= LOWEST)
    part = curve.part(slice(0, low[0] if low.size else None))
    t = part.x
    if t.size < 5:
        return None
    sigma = deviations(part.error, part.value * np.log(part.value), CURVE)

    def law(height: float, log_tau: float, beta: float) -> NDArray:
        return height * np.exp(-((t / np.exp(log_tau)) ** beta))

    def solve(value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return A, tau, beta; nan where they cannot be found."""
        start = (float(value.max()), np.log(np.interp(-0.37, -value, t)), 0.8)
        found = fit_curved(law, start, value, sigma)
        if found is None:
            return np.full(3, np.nan)
        height, log_tau, beta = found.value
        return np.array([height, np.exp(log_tau), beta])

    value, error = jackknifed(solve, part.value, part.left_out)
    if not np.isfinite(value).all():
        return None
    names = ("height", "time", "exponent")
    return FittedLaw(LAW, names, value, error, (float(t[0]), float(t[-1])))
