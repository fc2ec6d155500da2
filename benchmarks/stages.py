"""Where the time of a step goes: a stopwatch held to the calls of a device and a communicator."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from epmpi.devices import Device
from epmpi.parallel import Communicator
from epmpi.placement import place

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
        self.wait: Callable[[], None] = lambda: None  # until what was asked for is done

    def hold(self, thing: Any, stages: dict[str, str]) -> None:
        """Time the methods of an object that are named in {method: stage}."""
        for method, stage in stages.items():
            setattr(thing, method, self.timed(stage, getattr(thing, method)))

    def timed(self, stage: str, function: Any) -> Any:
        """Return the function with its time added to a stage at every call."""

        def measured(*arguments: Any, **options: Any) -> Any:
            self.wait()
            start = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self.wait()
                self.seconds[stage] += time.perf_counter() - start

        return measured


def timed_device(name: str, watch: Stopwatch) -> Device:
    """Return the device of this rank, whose stages are timed.  Collective.

    On a GPU each stage is waited for, so that the sum of the stages is longer than a step is
    without a stopwatch.
    """
    device = place(name, Communicator.world())
    make_lines = device.lines

    def lines(*arguments: Any) -> Any:
        made = make_lines(*arguments)
        watch.hold(made, LINE_STAGES)
        return made

    watch.wait = device.synchronize
    watch.hold(device, DEVICE_STAGES)
    device.__dict__["lines"] = lines
    return device


def timed_communicator(watch: Stopwatch) -> Communicator:
    """Return the communicator of all ranks, whose exchanges are timed (waiting included)."""
    communicator = Communicator.world()
    watch.hold(communicator, {name: "exchange" for name in ("exchange", "barrier", "route")})
    return communicator
