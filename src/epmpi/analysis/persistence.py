"""Persistence of sites in the log of events: relaxation time and chi_4(t).

p_i(t0, t) is 1 where site i has had no event in (t0, t0 + t], else 0.  Averages run over sites and
origins t0, which lie evenly in the run, the same ones for all lags; their errors come from blocks
of origins, or from replicas (see `blocks`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.blocks import jackknifed, leave_one_out
from epmpi.analysis.curve import Curve, shared_blocks, with_errors
from epmpi.analysis.events import Events

ORIGINS = 256
LONGEST = 0.25  # lag, of the run
DECADES, PER_DECADE = 5, 12  # of lags
HALF = 0.5
PERSISTENCE = (
    "<p_i(t0,t)>: fraction of the sites that have no event in (t0, t0 + t], from the log of "
    "events, averaged over origins t0; relaxation_time (tau_alpha): where it is 1/2"
)
CHI_4 = (
    "chi_4(t) = N (<p^2> - <p>^2) with p(t0,t) the fraction of the sites without an event in "
    "(t0, t0 + t], over origins t0 (and replicas); peak: the maximum of a parabola in ln t through "
    "the largest value and its neighbours; nan where the longest lag is shorter than tau_alpha"
)


@dataclass(frozen=True)
class Persistence:
    """Fractions of persistent sites.

    Attributes
    ----------
    lag : array, shape (lags,)
        In tau.
    fraction : array, shape (lags, origins)
        Origins of the replicas follow each other, equally many of each.
    """

    lag: NDArray[np.float64]
    fraction: NDArray[np.float64]
    sites: int
    replicas: int = 1

    @property
    def _blocks(self) -> int:
        middle = int(np.argmin(np.abs(self.fraction.mean(axis=1) - HALF)))
        return shared_blocks(self.fraction[middle], replicas=self.replicas)

    def _averages(self) -> tuple[NDArray, NDArray]:
        """Return <p> and <p^2> of all lags, and with each block left out; (blocks, 2, lags)."""
        series = [*self.fraction, *self.fraction**2]
        whole = np.array([values.mean() for values in series])
        left_out = leave_one_out(series, self._blocks)
        return whole.reshape(2, -1), left_out.reshape(len(left_out), 2, -1)

    def curve(self) -> Curve:
        """Return the persistence."""
        whole, left_out = self._averages()
        value, error = jackknifed(lambda averages: averages[0], whole, left_out)
        time = jackknifed(lambda averages: crossing(self.lag, averages[0]), whole, left_out)
        return Curve(
            "event_persistence", PERSISTENCE, "lag", self.lag, value, error, "tau", "1",
            with_errors(["relaxation_time"], *time),
        )  # fmt: skip

    def chi_4(self) -> Curve:
        """Return chi_4(t), with its peak."""
        whole, left_out = self._averages()

        def variance(averages: NDArray) -> NDArray:
            return np.asarray(self.sites * (averages[1] - averages[0] ** 2))

        value, error = jackknifed(variance, whole, left_out)
        peak, peak_error = jackknifed(lambda one: peak_of(self.lag, variance(one)), whole, left_out)
        if whole[0, -1] > HALF:  # what is largest so far is no peak
            peak, peak_error = np.full((2, 2), np.nan)
        parameters = with_errors(("peak_time", "peak"), peak, peak_error)
        return Curve("event_chi_4", CHI_4, "lag", self.lag, value, error, "tau", "1", parameters)


def crossing(lag: NDArray, fraction: NDArray) -> float:
    """Return the lag at which a falling fraction is 1/2, between two lags in ln t; nan for none."""
    below = np.flatnonzero(fraction < HALF)
    if not below.size or below[0] == 0:
        return float("nan")
    last = int(below[0])
    high, low = fraction[last - 1], fraction[last]
    share = (high - HALF) / (high - low)
    return float(np.exp((1 - share) * np.log(lag[last - 1]) + share * np.log(lag[last])))


def peak_of(lag: NDArray, value: NDArray) -> NDArray:
    """Return position and height of the maximum of a curve; nan where it is at one of the ends."""
    top = int(np.argmax(value))
    if not 0 < top < len(lag) - 1:
        return np.full(2, np.nan)
    x, y = np.log(lag[top - 1 : top + 2]), value[top - 1 : top + 2]
    curvature, slope, height = np.polyfit(x - x[1], y, 2)
    if curvature >= 0:
        return np.array([lag[top], y[1]])
    shift = -slope / (2 * curvature)
    return np.array([np.exp(x[1] + shift), height - slope**2 / (4 * curvature)])


def passages(
    events: Events, shape: tuple[int, int], origins: NDArray
) -> Iterator[NDArray[np.float64]]:
    """Yield the time of the next event of each site after each origin, (sites,), the last first."""
    order = np.argsort(events.start, kind="stable")
    start = events.start[order]
    site = events.x[order].astype(np.int64) * shape[1] + events.y[order]
    following = np.full(shape[0] * shape[1], np.inf)
    stop = len(start)
    for origin in origins[::-1]:
        begin = int(np.searchsorted(start, origin, side="right"))
        # From the last event to the first: earlier events overwrite later ones.
        following[site[begin:stop][::-1]] = start[begin:stop][::-1]
        stop = begin
        yield following


def at_origins(
    function: Callable[[NDArray[np.float64], float], Any],
    logs: Sequence[Events],
    shape: tuple[int, int],
    origins: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return a function of each of the `passages` and its origin, (origins of all logs, ...)."""
    rows: list[Any] = []
    for events in logs:
        each = zip(passages(events, shape, origins), origins[::-1], strict=True)
        rows += [function(time, origin) for time, origin in each][::-1]
    return np.array(rows)


def origins_and_lags(duration: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the origins and lags of a run of a duration."""
    longest = LONGEST * duration
    lags = longest * 10.0 ** (np.arange(-DECADES * PER_DECADE, 1) / PER_DECADE)
    return np.linspace(0.0, duration - longest, ORIGINS), lags


def measure_persistence(
    logs: Sequence[Events], shape: tuple[int, int], duration: float
) -> Persistence:
    """Measure the persistence of replicas that all last for a duration, in tau."""
    origins, lags = origins_and_lags(duration)
    sites = shape[0] * shape[1]

    def fraction(time: NDArray[np.float64], origin: float) -> NDArray[np.float64]:
        return np.asarray(1.0 - np.searchsorted(np.sort(time), origin + lags, side="right") / sites)

    return Persistence(lags, at_origins(fraction, logs, shape, origins).T, sites, len(logs))
