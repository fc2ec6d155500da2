"""Time windows of the tracer dynamics, from the local exponent of the mean square displacement.

Regime I is ballistic, II sub-diffusive (D(t) decreases), III diffusive (D(t) is constant).  With
beta(t) = d ln <|dr|^2> / d ln t, fitted over half a decade around t (the nearest three lags where
that holds fewer):

- I: the shortest lags, as long as beta >= 1.5;
- II: the longest stretch of lags with beta <= 0.95 and below 1 by two errors;
- III: the longest lags, as far down as |beta - 1| <= 0.05, or <= 0.1 and within two errors of 1.

A regime of fewer than three lags is not reported: the run does not reach it, or samples it too
coarsely.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.blocks import jackknifed, leave_one_out
from epmpi.analysis.curve import Curve
from epmpi.analysis.displacement import Diffusion
from epmpi.analysis.fits import solve_linear

BALLISTIC = 1.5
SUBDIFFUSIVE = 0.95
DIFFUSIVE = 0.05
NOISY = 0.1  # largest |beta - 1| of diffusive motion, if within the errors
HALF_WIDTH = 0.25  # of the fit of the local exponent, in decades
FEWEST_LAGS = 3

DEFINITION = (
    "beta = d ln <dr^2>/d ln t over half a decade. I: shortest lags with beta >= 1.5; II: longest "
    "stretch with beta <= 0.95 and below 1 by two errors; III: longest lags with |beta - 1| <= "
    "0.05, or <= 0.1 and within two errors of 1; three lags at least"
)


@dataclass(frozen=True)
class Window:
    """A range of lags, both ends included, in tau."""

    name: str
    start: float
    stop: float

    def contains(self, lag: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which lags, in tau, lie in the window; of their shape."""
        return (lag >= self.start * (1 - 1e-9)) & (lag <= self.stop * (1 + 1e-9))


def local_exponent(diffusion: Diffusion) -> Curve:
    """Return beta(t) = d ln <|dr|^2> / d ln t, with jackknife errors; nan where it is not found."""
    log_lag = np.log10(diffusion.lag)
    value, error = np.full((2, log_lag.size), np.nan)
    for centre in range(log_lag.size):
        distance = np.abs(log_lag - log_lag[centre])
        # The shortest lags are sparse: take the nearest three.
        reach = max(HALF_WIDTH, float(np.sort(distance)[:FEWEST_LAGS][-1]))
        near = np.flatnonzero(distance <= reach * (1 + 1e-9))
        blocks = int(diffusion.blocks[near].min())
        if near.size < FEWEST_LAGS or blocks < 2 or not (diffusion.square[near] > 0).all():
            continue
        left_out = leave_one_out([diffusion.by_origin[lag] for lag in near], blocks)
        with np.errstate(divide="ignore", invalid="ignore"):
            value[centre], error[centre] = jackknifed(
                partial(_exponent, log_lag[near]), diffusion.square[near], left_out
            )
    return Curve("local_exponent", DEFINITION, "lag", diffusion.lag, value, error, "tau")


def find_regimes(exponent: Curve) -> list[Window]:
    """Return the windows I, II and III that the run shows, in order of time."""
    beta, error = exponent.value, np.nan_to_num(exponent.error)
    with np.errstate(invalid="ignore"):
        ballistic = beta >= BALLISTIC
        slow = (beta <= SUBDIFFUSIVE) & (beta + 2 * error < 1)
        straight = np.abs(beta - 1) <= np.clip(2 * error, DIFFUSIVE, NOISY)
    windows = []
    for name, chosen in (("I", ballistic), ("II", slow), ("III", straight)):
        spans = _stretches(chosen)
        if name == "I":
            spans = [span for span in spans if span[0] == 0]
        if name == "III":
            spans = [span for span in spans if span[1] == beta.size]
        first, end = max(spans, key=lambda span: span[1] - span[0], default=(0, 0))
        if end - first >= FEWEST_LAGS:
            start, stop = exponent.x[first], exponent.x[end - 1]
            windows.append(Window(name, float(start), float(stop)))
    return windows


def _exponent(log_lag: NDArray[np.float64], square: NDArray[np.float64]) -> float:
    """Return d log y/d log t in the middle of the half decade; all lags have the same weight."""
    columns = np.stack([np.ones_like(log_lag), log_lag], axis=1)
    return float(solve_linear(columns, np.log10(square))[1])


def _stretches(chosen: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return [start, stop) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(int)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
