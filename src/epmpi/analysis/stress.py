"""The local stress: its distribution P(sigma), and the decay of its autocorrelation C_sigma(t)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from epmpi.analysis.blocks import jackknife_error
from epmpi.analysis.curve import Curve, FittedLaw
from epmpi.analysis.distribution import density_with_error
from epmpi.analysis.pooling import CountsByBlock

EDGES = np.linspace(-2.5, 2.5, 126)  # yield stresses
BLOCKS = 16  # of frames, for the error bars
LOWEST = 0.05  # fitted values of C_sigma lie above this

DISTRIBUTION = (
    "P(sigma): probability density of the local stress over sites and frames, in units of the "
    "yield stress; normalised to 1 with the values outside the bins counted in; errors from 16 "
    "blocks of frames, or from replicas"
)
LAW = "C(t) = A exp(-(t/tau)^beta)"


class StressDistribution(CountsByBlock):
    """Counts the local stress in linear bins, block of frames by block."""

    def __init__(self, frames: int, yield_stress: float = 1.0) -> None:
        self.yield_stress = yield_stress
        self.blocks = min(BLOCKS, frames)
        self.sums = [np.zeros((self.blocks, EDGES.size + 1), dtype=np.int64)]

    def add(self, values: NDArray[np.float64]) -> None:
        """Add the stress of some sites, shape (frames, sites)."""
        for block, part in enumerate(np.array_split(values / self.yield_stress, self.blocks)):
            found = np.searchsorted(EDGES, part.ravel(), side="right")
            self.sums[0][block] += np.bincount(found, minlength=EDGES.size + 1)

    def result(self) -> Curve:
        """Return P(sigma)."""
        counts = self.sums[0]
        density, error = density_with_error(counts[:, 1:-1], EDGES, counts.sum(axis=1))
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


def fit_stretched_exponential(
    curve: Curve, left_out: NDArray[np.float64] | None = None
) -> FittedLaw | None:
    """Fit A exp(-(t/tau)^beta) to a decaying correlation, from its first lag down to `LOWEST`.

    The errors are a jackknife over blocks of the run: neighbouring lags are correlated, so that
    those of the least-squares fit would be too small.

    Parameters
    ----------
    curve : Curve
    left_out : float64 array, shape (blocks, lags), optional
        The same without one block after the other; see `Autocorrelation.left_out`. Without it the
        errors are nan.

    Returns
    -------
    FittedLaw or None
        Parameters A, tau (in units of the abscissa), beta; None with fewer than five points.
    """
    low = np.flatnonzero(curve.value <= LOWEST)
    last = low[0] if low.size else curve.value.size
    t = curve.x[:last]
    if t.size < 5:
        return None
    sigma = np.clip(np.nan_to_num(curve.error[:last], nan=0.02), 1e-3, None)

    def law(t: NDArray, height: float, log_tau: float, beta: float) -> NDArray:
        return height * np.exp(-((t / np.exp(log_tau)) ** beta))

    def solve(value: NDArray[np.float64]) -> NDArray[np.float64]:
        start = (float(value.max()), np.log(np.interp(-0.37, -value, t)), 0.8)
        return curve_fit(law, t, value, p0=start, sigma=sigma)[0]

    try:
        best = solve(curve.value[:last])
        varied = [] if left_out is None else [solve(value[:last]) for value in left_out]
    except RuntimeError:
        return None
    error = jackknife_error(varied) if varied else np.full(best.size, np.nan)
    tau = float(np.exp(best[1]))
    return FittedLaw(
        LAW,
        ("height", "time", "exponent"),
        np.array([best[0], tau, best[2]]),
        np.array([error[0], tau * error[1], error[2]]),
        (float(t[0]), float(t[-1])),
    )
