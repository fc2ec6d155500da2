"""Continuous time random walk driven by the measured waiting times (inset of figure 3c).

J. Helfferich et al., Phys. Rev. E 89, 042604 (2014): a walker that jumps whenever its site is
activated has made N(t) jumps on average by the time t, with the Laplace transform

    N(s) = psi(s) / (s (1 - psi(s))),

and a mean square displacement of N(t) jump lengths squared.  Where N(s) ~ s^-(1+beta), N(t) ~
t^beta: the slope -2 is diffusion, -5/3 goes with t^(2/3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gamma

from epmpi.analysis.blocks import jackknifed_counts
from epmpi.analysis.curve import Curve
from epmpi.analysis.waiting_times import WaitingTimes

PER_DECADE = 4

COUNT = (
    "N(s) = psi(s)/(s (1 - psi(s))), psi(s) = int exp(-s tau_ev) psi dtau_ev of the measured "
    "waiting times, spread evenly within each bin; errors by jackknife over blocks of time, or "
    "over replicas"
)
SLOPE = "d ln N(s) / d ln s, the derivative of the measured psi(s), without differences"
PREDICTION = (
    "N(t) = [s N(s)] at s = 1/t, over Gamma(1 + beta), beta = -1 - slope (Tauberian): mean number "
    "of jumps in t, to be compared with the mean square displacement up to a factor"
)


def predict(waits: WaitingTimes) -> list[Curve]:
    """Return the prediction of a continuous time random walk from the waiting times.

    N(s), in tau, and its slope d ln N/d ln s, against s from the inverse of the longest wait to
    that of the shortest; N(t), and beta = d ln <dr^2>/d ln t as predicted, against t = 1/s.
    """
    held = np.flatnonzero(waits.counts.sum(axis=0))
    slowest, fastest = 1 / waits.edges[held[-1] + 1], 1 / waits.edges[held[0] + 1]
    points = max(2, round(np.log10(fastest / slowest) * PER_DECADE) + 1)
    s = np.geomspace(slowest, fastest, points)
    (value, slope), (value_error, slope_error) = jackknifed_counts(
        lambda numbers: _transform(waits.edges, numbers, s), waits.numbers
    )
    beta = -1 - slope
    t = 1 / s
    factor = s / gamma(1 + np.clip(beta, 0, 1.5))
    back = slice(None, None, -1)  # in order of time
    return [
        Curve("renewal_count", COUNT, "s", s, value, value_error, "1/tau", "tau"),
        Curve("renewal_slope", SLOPE, "s", s, slope, slope_error, "1/tau"),
        Curve(
            "renewal_jumps", PREDICTION, "lag",
            t[back], (factor * value)[back], (factor * value_error)[back], "tau",
        ),
        Curve(
            "renewal_exponent", "beta = -1 - d ln N/d ln s at t = 1/s", "lag",
            t[back], beta[back], slope_error[back], "tau",
        ),
    ]  # fmt: skip


def _transform(
    edges: NDArray[np.float64], numbers: NDArray[np.float64], s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return N(s) and d ln N/d ln s of waits that are spread evenly within each bin."""
    weight = numbers / numbers.sum()
    # 1 - exp(-s tau) instead of exp(-s tau): no digits are lost where s tau is small.
    low, high = np.multiply.outer(s, edges[:-1]), np.multiply.outer(s, edges[1:])
    width = high - low
    mean_exp = np.exp(-low) * -np.expm1(-width) / width
    rest = ((1 - mean_exp) * weight).sum(axis=1)
    small = high[:, -1] < 1e-6
    rest = np.where(small, (0.5 * (low + high) * weight).sum(axis=1), rest)
    psi = 1 - rest
    # s d psi/ds = -<s tau exp(-s tau)>, with int x e^-x dx = -(1 + x) e^-x.
    moment = ((1 + low) * np.exp(-low) - (1 + high) * np.exp(-high)) / width
    derivative = -(moment * weight).sum(axis=1)
    value = psi / (s * rest)
    slope = derivative / psi - 1 + derivative / rest
    return value, slope
