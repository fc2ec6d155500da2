"""Where the time of a step goes: a stopwatch held to the calls of a device and a communicator."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

from epmpi.devices import CPU
from epmpi.parallel import Communicator

# Method of the device -> stage of the step.
STAGES = {
    "advance_sites": "rule",
    "transform_rows": "forward rows",
    "convolve_columns": "columns",
    "restore_rows": "inverse rows",
    "move_tracers": "moving",
}


class Stopwatch:
    """Seconds spent, by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def timed(self, stage: str, function: Any) -> Any:
        """Return the function with its time added to a stage at every call."""

        def measured(*arguments: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self.seconds[stage] += time.perf_counter() - start

        return measured


def timed_device(watch: Stopwatch) -> CPU:
    """Return a CPU whose stages are timed."""
    device = CPU()
    for method, stage in STAGES.items():
        setattr(device, method, watch.timed(stage, getattr(device, method)))
    return device


def timed_communicator(watch: Stopwatch) -> Communicator:
    """Return the communicator of all ranks, whose exchanges are timed (waiting included)."""
    communicator = Communicator.world()
    for method in ("exchange", "route"):
        setattr(communicator, method, watch.timed("exchange", getattr(communicator, method)))
    return communicator
