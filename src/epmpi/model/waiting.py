"""Waiting times: the time between two consecutive activations of the same site.

They are counted over all sites during the run, in logarithmic bins of whole steps, because
an event log of a long run would fill the disk.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from epmpi.devices import Device

EXACT = 10  # waits up to this many steps have a bin each
PER_DECADE = 12
DECADES = 12  # longest wait, 10^12 steps
NEVER = -1


def bin_edges() -> NDArray[np.float64]:
    """Return the edges of the bins in steps: halves of odd numbers, so that no wait is on one.

    Shape (bins + 1,); the first bins hold 1, 2, ..., `EXACT` steps.
    """
    exact = np.arange(EXACT + 1) + 0.5
    wide = np.geomspace(EXACT, 10.0**DECADES, PER_DECADE * (DECADES - 1) + 1)[1:]
    return np.unique(np.append(exact, np.floor(wide) + 0.5))


class WaitingTimes:
    """Counts the waiting times of the sites of one rank; an accumulator of the model.

    Both activations of a wait lie after the warm-up.

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
        self.edges = bin_edges()
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

    def fields(self) -> Mapping[str, NDArray]:
        """Return the step of the last activation of each site, -1 for none; shape (rows, Ly)."""
        return {"last_activation": self._device.to_host(self._last)}

    def counts(self) -> Mapping[str, NDArray[np.int64]]:
        """Return the number of waits in each bin, on this rank."""
        return {"number": self.number}

    def restore(
        self, fields: Mapping[str, NDArray], counts: Mapping[str, NDArray[np.int64]]
    ) -> None:
        """Restore fields and counts."""
        self._last[:] = self._device.asarray(fields["last_activation"])
        self._number[:] = self._device.asarray(counts["number"])
