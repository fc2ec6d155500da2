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

    Attributes
    ----------
    every : dict of str to int
        Interval in steps of series, trajectory, fields and waiting_times; 0: never.
    """

    def __init__(self, configuration: Configuration) -> None:
        output, steps = configuration.output, configuration.steps
        self.every = {
            what: steps(getattr(output, f"{what}_every"))
            for what in ("series", "trajectory", "fields", "waiting_times")
        }
        # In steps from each multiple of the interval.
        self._offsets = {what: [0] for what in self.every}
        if output.trajectory_lags == "logarithmic":
            unit = max(round(UNIT / configuration.time.step), 1)
            self._offsets["trajectory"] = logarithmic_offsets(self.every["trajectory"], unit)

    def due(self, what: str, step: int) -> bool:
        """Tell whether something is to be written at a step."""
        return self.next_due(what, step - 1) == step

    def next_due(self, what: str, step: int) -> int | None:
        """Return the first step after this one at which something is due; None for never."""
        every, offsets = self.every[what], self._offsets[what]
        if not every:
            return None
        origin = step // every * every
        later = bisect_right(offsets, step - origin)
        return origin + (offsets[later] if later < len(offsets) else every)

    def frames(self, what: str, steps: int) -> int:
        """Return the number of frames in a number of steps, including the one at step 0."""
        every, offsets = self.every[what], self._offsets[what]
        if not every:
            return 0
        return steps // every * len(offsets) + bisect_right(offsets, steps % every)

    def describe(self) -> dict[str, dict[str, int | list[int]]]:
        """Return the schedule of the trajectory, for /parameters."""
        offsets = self._offsets["trajectory"]
        if len(offsets) == 1:
            return {}
        return {"origins": {"every": self.every["trajectory"], "offsets": offsets}}
