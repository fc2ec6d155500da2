"""A repeated step, and its number, which is stored on the device."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import numpy as np
from numpy.typing import NDArray

Work = Callable[[], None]


class RepeatedStep:
    """Takes steps and counts them.

    Parameters
    ----------
    number : uint64 array, shape (1,)
        A counter of the device.

    Attributes
    ----------
    number : uint64 array, shape (1,)
        Of the next step.
    """

    def __init__(self, number: NDArray[np.uint64]) -> None:
        self.number = number

    def begin_at(self, step: int) -> None:
        """Start from a step, perhaps with other arrays than before."""
        self.number[:] = step
        self.forget()

    def forget(self) -> None:
        """Forget captures: later steps have other arrays or other work."""

    def take(self, key: Hashable, work: Work) -> None:
        """Do the work of a step, which is the same each time for a key, and count it.

        A device with a queue may capture its calls, and replay them later without calling `work`.
        So all that changes from step to step must be in arrays of the device, and the work may
        neither allocate arrays nor wait for the device, except in calls given to `Device.aside`.
        """
        work()
        self.number += 1
