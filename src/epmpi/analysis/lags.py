"""Pairs of frames: the time lags of a trajectory, and the sliding origins of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.run_file import Clock

PER_DECADE = 10  # lags in a decade of time
LONGEST = 0.2  # longest lag as a fraction of the trajectory: leaves four blocks of one lag each

Frames = slice | NDArray[np.int64]  # frame indices; a slice where they are evenly spaced


@dataclass(frozen=True)
class Lag:
    """All pairs of frames (origin, origin + lag) that are used for one lag.

    Attributes
    ----------
    time : float
        The lag t, in tau.
    origins, ends : slice or array of int
        Frame indices of t0 and t0 + t.
    count : int
        Number of pairs.
    """

    time: float
    origins: Frames
    ends: Frames
    count: int


def sliding_lags(clock: Clock, most_origins: int | None = None) -> list[Lag]:
    """Return logarithmically spaced lags with their sliding origins.

    Lags are differences of steps between existing frames, those nearest to `PER_DECADE` points per
    decade, from the shortest to `LONGEST` of the trajectory.  Frames need not be evenly spaced:
    every frame with another one at its step plus the lag is an origin.  Where frames are at
    logarithmic offsets from evenly spaced origins, only these origins are used.

    Parameters
    ----------
    clock : Clock
        Of the trajectory.
    most_origins : int, optional
        Keep every k-th origin, so that no lag has more than about this many.
    """
    candidates = clock.step[1:] - clock.step[0]
    candidates = candidates[candidates <= LONGEST * (clock.step[-1] - clock.step[0])]
    if candidates.size == 0:
        return []
    decades = np.log10(candidates[-1] / candidates[0])
    targets = np.geomspace(candidates[0], candidates[-1], round(decades * PER_DECADE) + 1)
    nearest = np.abs(np.log(candidates[:, None] / targets)).argmin(axis=0)
    return [_pairs(clock, lag, most_origins) for lag in np.unique(candidates[nearest])]


def partners(step: NDArray[np.int64], lag: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the frames that have another one a number of steps later, and the later ones."""
    end = np.searchsorted(step, step + lag)
    inside = end < step.size
    origin = np.flatnonzero(inside)[step[end[inside]] == step[inside] + lag]
    return origin, end[origin]


def _pairs(clock: Clock, lag: int, most_origins: int | None) -> Lag:
    """Return the pairs of frames that are `lag` steps apart."""
    origin, end = partners(clock.step, lag)
    if clock.origin_every:
        chosen = clock.step[origin] % clock.origin_every == 0
        origin, end = origin[chosen], end[chosen]
    stride = 1 if most_origins is None else -(-origin.size // most_origins)
    origin, end = origin[::stride], end[::stride]
    time = float(np.mean(clock.time[end] - clock.time[origin]))
    return Lag(time, _as_slice(origin), _as_slice(end), origin.size)


def _as_slice(index: NDArray[np.int64]) -> Frames:
    """Return evenly spaced indices as a slice: NumPy then takes a view instead of a copy."""
    step = int(index[1] - index[0]) if index.size > 1 else 1
    if (np.diff(index) == step).all():
        return slice(int(index[0]), int(index[-1]) + 1, step)
    return index
