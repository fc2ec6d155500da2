"""Where the time of a step goes: a stopwatch held to the calls of a device and a communicator."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

from epmpi.devices import Device, RepeatedStep, RowLoops
from epmpi.parallel import Communicator
from epmpi.parallel.placement import place

# Method of the device, of its loops over rows, or of its line transforms -> stage of the step.
DEVICE_STAGES = {"advance_sites": "rule", "move_tracers": "moving"}
LOOP_STAGES = {
    "advance_sites": "row pass",
    "transform_increments": "forward rows",
    "move_tracers": "flow pass",
}
LINE_STAGES = {
    "transform_rows": "forward rows",
    "convolve": "columns",
    "restore_rows": "inverse rows",
}
STAGES = [*DEVICE_STAGES.values(), *LOOP_STAGES.values(), *LINE_STAGES.values(), "exchange"]


class Stopwatch:
    """Seconds spent, by stage, while it runs: between marks in the queue of a device.

    Attributes
    ----------
    running : bool
    harmless : bool
        Whether a step takes as long while it runs: not where steps are otherwise replayed as a
        whole.
    """

    def __init__(self) -> None:
        self.running = False
        self.harmless = True
        self.wait: Callable[[], None] = lambda: None  # until what was asked for is done
        self._mark: Callable[[], Any] = time.perf_counter
        self._between: Callable[[Any, Any], float] = lambda first, last: last - first
        self._spans: list[tuple[str, Any, Any]] = []

    def use(self, device: Device) -> None:
        """Read the clock of a device."""
        self.harmless = device.identity() is None
        self.wait, self._mark, self._between = device.synchronize, device.mark, device.seconds

    def hold(self, thing: Any, stages: dict[str, str]) -> None:
        """Time the methods of an object that are named in {method: stage}."""
        for method, stage in stages.items():
            setattr(thing, method, self.timed(stage, getattr(thing, method)))

    def timed(self, stage: str, function: Any) -> Any:
        """Return the function with its time added to a stage at every call."""

        def measured(*arguments: Any, **options: Any) -> Any:
            if not self.running:
                return function(*arguments, **options)
            first = self._mark()
            try:
                return function(*arguments, **options)
            finally:
                self._spans.append((stage, first, self._mark()))

        return measured

    def collect(self) -> dict[str, float]:
        """Return the seconds of each stage since the last time."""
        seconds: dict[str, float] = defaultdict(float)
        for stage, first, last in self._spans:
            seconds[stage] += self._between(first, last)
        self._spans.clear()
        return seconds


def timed_device(name: str, watch: Stopwatch, one_loop: bool = True) -> Device:
    """Return the device of this rank, whose stages are timed while the watch runs.  Collective.

    On a GPU the times are between events in its queue, so nobody waits; but a step is then launched
    kernel by kernel, not as a graph. Without `one_loop` the passes over rows go block by block.
    """
    device = place(name, Communicator.world())
    make_lines, make_loops, make_step = device.lines, device.row_loops, device.repeated_step

    def lines(*arguments: Any) -> Any:
        made = make_lines(*arguments)
        watch.hold(made, LINE_STAGES)
        return made

    def row_loops(lines: Any) -> RowLoops | None:
        made = make_loops(lines) if one_loop else None
        if made is not None:
            watch.hold(made, LOOP_STAGES)
        return made

    def repeated_step(*, capture: bool) -> Any:
        step: Any = make_step(capture=capture)
        captured, plain = step.take, partial(RepeatedStep.take, step)
        step.take = lambda key, work: (plain if watch.running else captured)(key, work)
        return step

    watch.use(device)
    watch.hold(device, DEVICE_STAGES)
    device.__dict__.update(lines=lines, row_loops=row_loops, repeated_step=repeated_step)
    return device


def timed_communicator(watch: Stopwatch) -> Communicator:
    """Return the communicator of all ranks, whose exchanges are timed (waiting included)."""
    communicator = Communicator.world()
    watch.hold(communicator, {name: "exchange" for name in ("exchange", "barrier", "any", "route")})
    return communicator
