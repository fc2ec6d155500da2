"""Bursts in a log of events: between pauses, or of sites near their threshold.

The first and the last burst of a log are left out: the run may have cut them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.blocks import jackknifed_counts
from epmpi.analysis.curve import Curve, with_errors
from epmpi.analysis.events import Events

BLOCKS = 16  # of time, for the error bars
PER_DECADE = 4  # values of the gap
DECADES = 2  # on either side of the usual one
SHARE = (
    "share of the time that lies in bursts: in waits between one event of the lattice and the "
    "next that are no longer than a gap, over all waits; share: at the gap `gap` of the "
    "avalanches; rate: events a unit of time"
)


class Bursts(NamedTuple):
    """Bursts of one log, in order of time; arrays of shape (bursts,).

    Attributes
    ----------
    size : int array
        Events.
    sites : int array
        Distinct ones.
    duration : array
        From the first event to the last, in tau.
    pause : array
        From the last event before it to its first one, in tau.
    """

    size: NDArray[np.int64]
    sites: NDArray[np.int64]
    duration: NDArray[np.float64]
    pause: NDArray[np.float64]


def between_pauses(events: Events, shape: tuple[int, int], gap: float) -> Bursts:
    """Return the bursts of events that each follow the one before within a gap, in tau."""
    order = np.argsort(events.start, kind="stable")
    number = np.concatenate([[0], np.cumsum(np.diff(events.start[order]) > gap)])
    return _collected(events, shape, order, number[: len(events)])


def below_threshold(events: Events, shape: tuple[int, int], threshold: float) -> Bursts:
    """Return the bursts by a threshold x0 of the distance x of each site before its event.

    An event at x >= x0 begins a burst, and those that follow at x < x0 belong to it (Paczuski,
    Maslov and Bak, Phys. Rev. E 53, 414, 1996), so that the mean size is 1 over the fraction of
    events at x >= x0.  Of the extremal driver: all sites are then at x0 or beyond before a burst.

    Raises
    ------
    ValueError
        If the log has no distances.
    """
    if events.distance is None:
        raise ValueError("the log has no distances: expected that of instantaneous events")
    order = np.argsort(events.start, kind="stable")
    number = np.cumsum(events.distance[order] >= threshold, dtype=np.int64)
    return _collected(events, shape, order, number)


def _collected(
    events: Events, shape: tuple[int, int], order: NDArray[np.int64], number: NDArray[np.int64]
) -> Bursts:
    """Return the bursts from the number of that of each event, in the order of time."""
    values, first = np.unique(number, return_index=True)
    if len(values) < 3:
        return Bursts(*np.zeros((2, 0), np.int64), *np.zeros((2, 0)))
    start, sites = events.start[order], shape[0] * shape[1]
    site = events.x[order].astype(np.int64) * shape[1] + events.y[order]
    last = np.append(first[1:], len(start)) - 1
    burst = np.repeat(np.arange(len(values)), last - first + 1)
    distinct = np.bincount(np.unique(burst * sites + site) // sites, minlength=len(values))
    inner = slice(1, len(values) - 1)
    return Bursts(
        (last - first + 1)[inner],
        distinct[inner],
        (start[last] - start[first])[inner],
        (start[first[1:]] - start[last[:-1]])[:-1],
    )


def measure_share(logs: Sequence[Events], gap: float) -> Curve:
    """Return the share of the time in bursts against the gap, in tau.

    Errors by blocks of equally long times, or by replicas.
    """
    steps = np.arange(-DECADES * PER_DECADE, DECADES * PER_DECADE + 1) / PER_DECADE
    gaps = gap * 10.0**steps
    times = np.concatenate([_times(events, gaps, len(logs)) for events in logs])
    value, error = jackknifed_counts(_shares, times)
    chosen = [DECADES * PER_DECADE, -1]  # the usual gap, and the rate
    parameters = {"gap": gap, **with_errors(("share", "rate"), value[chosen], error[chosen])}
    return Curve("burst_time", SHARE, "gap", gaps, value[:-1], error[:-1], "tau", "1", parameters)


def _shares(sums: NDArray) -> NDArray:
    """Return the shares of the time, and the rate, from what `_times` returns."""
    return np.append(sums[:-2], sums[-1]) / sums[-2]


def _times(events: Events, gaps: NDArray, replicas: int) -> NDArray[np.float64]:
    """Return the time in bursts for each gap, all of it, and the waits; (blocks, gaps + 2).

    A wait belongs to the block in which it ends.
    """
    start = np.sort(events.start)
    wait, blocks = np.diff(start), BLOCKS if replicas == 1 else 1
    span = start[-1] - start[0]
    block = np.minimum(((start[1:] - start[0]) / span * blocks).astype(np.int64), blocks - 1)
    columns = [np.where(wait <= gap, wait, 0.0) for gap in gaps]
    columns += [wait, np.ones_like(wait)]
    return np.stack([np.bincount(block, one, minlength=blocks) for one in columns], axis=1)
