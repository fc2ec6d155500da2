"""Where the time of a step goes: a stopwatch held to the calls of a device and a communicator."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

from epmpi.devices import CPU
from epmpi.parallel import Communicator

# Method of the device, or of its line transforms -> stage of the step.
DEVICE_STAGES = {"advance_sites": "rule", "move_tracers": "moving"}
LINE_STAGES = {
    "transform_rows": "forward rows",
    "convolve": "columns",
    "restore_rows": "inverse rows",
}
STAGES = [*DEVICE_STAGES.values(), *LINE_STAGES.values(), "exchange"]


class Stopwatch:
    """Seconds spent, by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def hold(self, thing: Any, stages: dict[str, str]) -> None:
        """Time the methods of an object that are named in {method: stage}."""
        for method, stage in stages.items():
            setattr(thing, method, self.timed(stage, getattr(thing, method)))

    def timed(self, stage: str, function: Any) -> Any:
        """Return the function with its time added to a stage at every call."""

        def measured(*arguments: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self.seconds[stage] += time.perf_counter() - start

        return measured


class TimedCPU(CPU):
    """A CPU whose stages are timed."""

    def __init__(self, watch: Stopwatch) -> None:
        self._watch = watch
        watch.hold(self, DEVICE_STAGES)

    def lines(self, *arguments: Any) -> Any:
        """Return line transforms that are timed too."""
        lines = super().lines(*arguments)
        self._watch.hold(lines, LINE_STAGES)
        return lines


def timed_communicator(watch: Stopwatch) -> Communicator:
    """Return the communicator of all ranks, whose exchanges are timed (waiting included)."""
    communicator = Communicator.world()
    watch.hold(communicator, {"exchange": "exchange", "route": "exchange"})
    return communicator
