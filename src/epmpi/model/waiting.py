"""Waiting times: the time between two consecutive activations of the same site.

They are counted during the run, over all sites, in logarithmic bins: a log of all events of a long
run is large.  The bins are of whole steps; with the exact clock of any length.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from epmpi.devices import Device
from epmpi.model.state import Accumulator, Arrays

PER_DECADE = 12  # bins
ONE_BIN_EACH = 10  # steps: waits up to them have a bin for each number
DECADES = 12  # longest wait, 10^12 steps
NEVER = -1
SHORTEST = 1e-3  # tau; shorter waits of the exact clock are in the first bin
EXACT_DECADES = 17  # longest wait, 10^14 tau


def bin_edges() -> NDArray[np.float64]:
    """Return the edges of the bins in steps: halves of odd numbers, so that no wait is on one.

    Shape (bins + 1,); the first bins hold 1, 2, ..., `ONE_BIN_EACH` steps.
    """
    exact = np.arange(ONE_BIN_EACH + 1) + 0.5
    wide = np.geomspace(ONE_BIN_EACH, 10.0**DECADES, PER_DECADE * (DECADES - 1) + 1)[1:]
    return np.unique(np.append(exact, np.floor(wide) + 0.5))


def exact_bin_edges(tick: float) -> NDArray[np.float64]:
    """Return the edges of the bins of the exact clock, in ticks of so many tau.

    0, then evenly spaced in the logarithm.
    """
    steps = np.arange(PER_DECADE * EXACT_DECADES + 1) / PER_DECADE
    return np.append(0.0, SHORTEST / tick * 10.0**steps)


class WaitCounts(Accumulator):
    """Counts the times between two consecutive activations of a site, both after a step.

    Parameters
    ----------
    edges : float64 array, shape (bins + 1,)
        Of the bins, in steps or ticks.
    """

    def __init__(self, edges: NDArray[np.float64]) -> None:
        self.edges = edges

    @property
    @abstractmethod
    def number(self) -> NDArray[np.int64]:
        """The number of waits in each bin, whose sum over the ranks is the result; (bins,)."""

    @abstractmethod
    def begin_at(self, first_step: int) -> None:
        """Ignore the events of earlier steps."""

    def counts(self) -> Arrays:
        """Return the number of waits in each bin."""
        return {"number": self.number}


class WaitingTimes(WaitCounts):
    """Counts the waiting times of the sites of one rank, in whole steps.

    Parameters
    ----------
    shape : (int, int)
        Rows of this rank, and Ly.
    first_step : int
        Steps of the warm-up: earlier events are ignored.
    device : Device
        Of the events and of the counts.
    """

    def __init__(self, shape: tuple[int, int], first_step: int, device: Device) -> None:
        super().__init__(bin_edges())
        self._device = device
        self._edges = device.asarray(self.edges)
        self._since = device.zeros((1,), np.int64)
        self._number = device.zeros((self.edges.size - 1,), np.int64)
        self._last = device.zeros(shape, np.int64)
        self._last[:] = NEVER
        self.begin_at(first_step)

    def begin_at(self, first_step: int) -> None:
        """Ignore the events of earlier steps."""
        self._since[:] = first_step

    @property
    def number(self) -> NDArray[np.int64]:
        """The number of waits in each bin, on this rank; shape (bins,)."""
        number: NDArray[np.int64] = self._device.to_host(self._number)
        return number

    def take(
        self,
        begun: NDArray[np.int64],
        events: NDArray[np.int64],
        first_site: int,
        step: NDArray[np.uint64],
    ) -> None:
        """Count the waits that these events end; see `Accumulator.take`."""
        self._device.count_waits(
            begun, events, first_site, step,
            self._since, self._last.reshape(-1), self._edges, self._number,
        )  # fmt: skip

    def fields(self) -> Arrays:
        """Return the step of the last activation of each site, -1 for none; shape (rows, Ly)."""
        return {"last_activation": self._device.to_host(self._last)}

    def restore(self, fields: Arrays, counts: Arrays, root: Arrays) -> None:
        """Restore fields and counts."""
        self._last[:] = self._device.asarray(fields["last_activation"])
        self._number[:] = self._device.asarray(counts["number"])


class ExactWaitingTimes(WaitCounts):
    """Counts the waiting times of all sites by the exact clock, on the root.

    Parameters
    ----------
    tick : float
        In units of tau.
    first_tick : int
        Ticks of the warm-up: both activations of a wait lie after it.
    """

    def __init__(self, tick: float, first_tick: int, *, is_root: bool) -> None:
        super().__init__(exact_bin_edges(tick))
        self._number = np.zeros(self.edges.size - 1, np.int64)
        self._tick = tick
        self._is_root = is_root
        self.begin_at(first_tick)

    def begin_at(self, first_step: int) -> None:
        """Ignore the events of earlier ticks."""
        self._since = first_step * self._tick

    @property
    def number(self) -> NDArray[np.int64]:
        """The number of waits in each bin, (bins,); zero on all ranks but the root."""
        return self._number

    def add(self, begun: NDArray[np.float64], waited: NDArray[np.float64]) -> None:
        """Count waits, by when sites were activated and how long each had waited, in tau."""
        if not self._is_root:
            return
        counted = waited[begun - waited >= self._since] / self._tick
        bins = np.searchsorted(self.edges, counted, side="right") - 1
        np.add.at(self._number, np.minimum(bins, self._number.size - 1), 1)

    def take(self, *_: object) -> None:
        """Refuse steps: the exact clock has none."""
        raise TypeError("waits of the exact clock are counted by `add`")

    def restore(self, fields: Arrays, counts: Arrays, root: Arrays) -> None:
        """Restore the counts."""
        self._number[:] = counts["number"]
