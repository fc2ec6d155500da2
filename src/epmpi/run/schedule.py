"""Schedule of frames: at even intervals, or at logarithmic offsets from many origins."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from epmpi.config import Configuration

PER_DECADE = 10  # offsets in a decade of time
UNIT = 1.0  # tau: longer offsets have a partner this much later


def logarithmic_offsets(longest: int, unit: int) -> list[int]:
    """Return offsets from an origin, in steps, 0 included and `longest` not.

    About `PER_DECADE` a decade, from one step on.  0 and each offset from `unit` on have a partner
    `unit` later, so that displacements over `unit` can be correlated.

    Parameters
    ----------
    longest : int
        Steps between two origins.
    unit : int
        One unit of time, in steps.
    """
    decades = np.log10(max(longest, 1))
    spaced = np.geomspace(1, max(longest, 1), round(decades * PER_DECADE) + 1)
    offsets = {0, *(round(float(offset)) for offset in spaced)}
    offsets |= {offset + unit for offset in offsets if offset == 0 or offset >= unit}
    return sorted(offset for offset in offsets if offset < longest)


class Schedule:
    """The steps, counted from the end of the warm-up, at which something is written.

    Parameters
    ----------
    configuration : Configuration

    Attributes
    ----------
    every : dict of str to int
        Interval in steps of series, trajectory, fields and waiting_times; 0: never.
    offsets : list of int
        Of trajectory frames, in steps from each multiple of their interval.
    """

    def __init__(self, configuration: Configuration) -> None:
        output, steps = configuration.output, configuration.steps
        self.every = {
            "series": steps(output.series_every),
            "trajectory": steps(output.trajectory_every),
            "fields": steps(output.fields_every),
            "waiting_times": steps(output.waiting_times_every),
        }
        self.offsets = [0]
        if output.trajectory_lags == "logarithmic":
            unit = max(round(UNIT / configuration.time.step), 1)
            self.offsets = logarithmic_offsets(self.every["trajectory"], unit)
        self._offsets = frozenset(self.offsets)

    def due(self, what: str, step: int) -> bool:
        """Tell whether something is to be written at a step."""
        every = self.every[what]
        if not every:
            return False
        return step % every in self._offsets if what == "trajectory" else step % every == 0

    def next_due(self, what: str, step: int) -> int | None:
        """Return the first step after this one at which something is due; None for never."""
        every = self.every[what]
        if not every:
            return None
        origin = step // every * every
        if what == "trajectory":
            later = bisect_right(self.offsets, step - origin)
            if later < len(self.offsets):
                return origin + self.offsets[later]
        return origin + every

    def frames(self, what: str, steps: int) -> int:
        """Return the number of frames in a number of steps, including the one at step 0."""
        every = self.every[what]
        if not every:
            return 0
        if what != "trajectory":
            return steps // every + 1
        rest = steps % every
        return steps // every * len(self.offsets) + sum(offset <= rest for offset in self.offsets)

    def describe(self) -> dict[str, dict[str, int | list[int]]]:
        """Return the schedule of the trajectory, for /parameters."""
        if len(self.offsets) == 1:
            return {}
        return {"origins": {"every": self.every["trajectory"], "offsets": self.offsets}}
