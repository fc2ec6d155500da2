"""Times of the stages of a step: a stopwatch around the calls of a device and a communicator."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from epmpi.devices import Device, RepeatedStep, TracerBlocks
from epmpi.parallel import Communicator
from epmpi.parallel.placement import place
from epmpi.spectral import messages
from epmpi.spectral.between_hosts import BetweenHosts
from epmpi.spectral.messages import ByMessages
from epmpi.spectral.sites import SourceMessages

EXCHANGES: tuple[Any, ...] = (ByMessages, BetweenHosts, SourceMessages)

# Method of the device, of its loops over rows, or of its line transforms -> stage of the step.
DEVICE_STAGES = {"advance_sites": "rule", "move_tracers": "moving"}
BLOCK_STAGES = {"sort": "moving", "move": "moving"}  # of the tracers of blocks of rows
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
# Of exchanges by messages, whose calls contain transforms of lines: what these leave.
EXCHANGE_STAGES = {
    "send_rows": "packing",
    "receive_rows": "packing",
    "to_columns": "exchange",
    "to_rows": "exchange",
}
STAGES = [
    *dict.fromkeys(
        [
            *DEVICE_STAGES.values(),
            *LOOP_STAGES.values(),
            *LINE_STAGES.values(),
            *EXCHANGE_STAGES.values(),
        ]
    )
]


REPLAYS = 20


class Stopwatch:
    """Seconds spent, by stage, while it runs: on a CPU between calls, on a GPU by replays.

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
        self._device: Device | None = None
        self._spans: list[tuple[str, float, float, str]] = []
        self._open: list[str] = []  # stages that have begun, each within the one before
        self._calls: list[tuple[str, Callable[[], Any]]] | None = None  # of a step, if taken down

    def use(self, device: Device) -> None:
        """Time the work of a device."""
        self._device = device
        self.harmless = device.identity() is None
        self.wait = device.synchronize

    @property
    def step_by_step(self) -> bool:
        """Whether a step must be made of its calls, not of a recording."""
        return self.running or self._calls is not None

    def hold(self, thing: Any, stages: dict[str, str]) -> None:
        """Time the methods of an object that are named in {method: stage}."""
        for method, stage in stages.items():
            setattr(thing, method, self.timed(stage, getattr(thing, method)))

    def timed(self, stage: str, function: Any) -> Any:
        """Return the function with its time added to a stage at every call.

        What is timed within counts there alone.
        """

        def measured(*arguments: Any, **options: Any) -> Any:
            if self._calls is not None and stage not in EXCHANGE_STAGES.values():
                self._calls.append((stage, partial(function, *arguments, **options)))
            if not self.running:
                return function(*arguments, **options)
            around = self._open[-1] if self._open else ""
            self._open.append(stage)
            first = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self._spans.append((stage, first, time.perf_counter(), around))
                self._open.pop()

        return measured

    def collect(self) -> dict[str, float]:
        """Return the seconds of each stage since the last time."""
        seconds: dict[str, float] = defaultdict(float)
        for stage, first, last, around in self._spans:
            spent = last - first
            seconds[stage] += spent
            seconds[around] -= spent
        self._spans.clear()
        seconds.pop("", None)
        return seconds

    def replayed(self, step: Callable[[], None], replays: int = REPLAYS) -> dict[str, float]:
        """Return the seconds of each stage of a step, from replays of what it asks a GPU for.

        What a stage asks for in one step is recorded alone: between launches one by one there would
        be gaps.  The state of the model makes no sense afterwards.
        """
        assert self._device is not None
        calls: list[tuple[str, Callable[[], Any]]] = []
        self._calls = calls
        step()
        self._calls = None
        seconds = {}
        for stage in dict.fromkeys(stage for stage, _ in calls):
            mine = [call for name, call in calls if name == stage]
            launch = self._device.recorded(partial(_all, mine))
            launch()
            first = self._device.mark()
            for _ in range(replays):
                launch()
            seconds[stage] = self._device.seconds(first, self._device.mark()) / replays
        return seconds


def _all(calls: list[Callable[[], Any]]) -> None:
    for call in calls:
        call()


def timed_device(name: str, watch: Stopwatch, one_loop: bool = True) -> Device:
    """Return the device of this rank, whose stages are timed while the watch runs.  Collective.

    Without `one_loop` the passes over rows go block by block.
    """
    device = place(name, Communicator.world())
    make_lines, make_loops, make_step = device.lines, device.row_loops, device.repeated_step
    make_blocks = device.tracer_blocks

    def lines(*arguments: Any) -> Any:
        made = make_lines(*arguments)
        watch.hold(made, LINE_STAGES)
        return made

    def row_loops(lines: Any) -> Any:
        made = make_loops(lines) if one_loop else None
        if made is not None:
            watch.hold(made, LOOP_STAGES)
        return made

    def tracer_blocks(rows: int, height: int) -> TracerBlocks:
        made = make_blocks(rows, height)
        watch.hold(made, BLOCK_STAGES)
        return made

    def repeated_step(*, capture: bool) -> Any:
        step: Any = make_step(capture=capture)
        captured, plain = step.take, partial(RepeatedStep.take, step)
        step.take = lambda key, work: (plain if watch.step_by_step else captured)(key, work)
        return step

    watch.use(device)
    watch.hold(device, DEVICE_STAGES)
    device.__dict__.update(lines=lines, row_loops=row_loops, tracer_blocks=tracer_blocks)
    device.__dict__.update(repeated_step=repeated_step)
    return device


def timed_communicator(watch: Stopwatch) -> Communicator:
    """Return the communicator of all ranks, whose exchanges are timed (waiting included)."""
    communicator = Communicator.world()
    watch.hold(communicator, {name: "exchange" for name in ("exchange", "barrier", "any", "route")})
    return communicator


@contextmanager
def timed_exchanges(watch: Stopwatch) -> Iterator[None]:
    """Time what exchanges by messages do, whoever makes them, for a while."""
    kept = messages._await, {kind: dict(vars(kind)) for kind in EXCHANGES}
    messages._await = watch.timed("exchange", messages._await)
    for kind in EXCHANGES:
        found = {name: stage for name, stage in EXCHANGE_STAGES.items() if hasattr(kind, name)}
        watch.hold(kind, found)
    try:
        yield
    finally:
        messages._await = kept[0]
        for kind, methods in kept[1].items():
            for name in EXCHANGE_STAGES:
                if name in methods:
                    setattr(kind, name, methods[name])
                elif name in vars(kind):
                    delattr(kind, name)  # inherited
