"""A step captured once as CUDA graphs and then launched as a whole.

A step of a small lattice is bound by the time that it takes to launch its kernels one by one; a
graph is launched by one call.  What it holds are the addresses and the numbers of the capture, so
the number of the step and all that changes are in arrays of the card.  What no graph can hold, an
exchange by way of the host, comes between two graphs.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.devices.repeated_step import RepeatedStep, Work

IN_FLIGHT = 8  # steps that the host is ahead of the card at most: what a signal may find queued
KEPT = 4  # recordings: tracers that move every few steps need two


class Recording:
    """The work of a step on the card: graphs, and between them calls that no graph can capture.

    Attributes
    ----------
    graphs : list
        Of CuPy; none is empty.
    parts : list of functions
        To be called in turn.
    """

    def __init__(self) -> None:
        self.graphs: list[Any] = []
        self.parts: list[Work] = []

    def add(self, graph: Any) -> None:
        """Append a graph, unless it holds nothing."""
        if "_node_" in graph.debug_dot_str():
            self.graphs.append(graph)
            self.parts.append(graph.launch)

    def launch(self) -> None:
        """Ask for all of it again."""
        for part in self.parts:
            part()


class CapturedStep(RepeatedStep):
    """Takes steps, from the third with the same key on without calling their work.

    The first one compiles kernels and makes plans, which no capture may do; so a step whose key
    changes each time, as the temperature of an annealing does, is never captured.

    Parameters
    ----------
    number : uint64 array, shape (1,)
        A counter of the card.
    record : function (work) -> Recording
        Calls the work, and returns what it would have done as an object with `launch()`.
    mark : function () -> mark
        Marks the end of what the card was asked for.
    wait : function (mark)
        Waits until the card has come to it.
    """

    def __init__(
        self,
        number: NDArray[np.uint64],
        record: Callable[[Work], Any],
        mark: Callable[[], Any],
        wait: Callable[[Any], None],
    ) -> None:
        super().__init__(number)
        self._record: Callable[[Work], Any] | None = record
        self._mark, self._wait = mark, wait
        self._asked = 0
        self._last: Any = None  # mark, half of what may be in flight ago
        self._recordings: OrderedDict[Hashable, Any] = OrderedDict()

    def forget(self) -> None:
        """Forget all recordings."""
        self._recordings.clear()

    def take(self, key: Hashable, work: Work) -> None:
        """Take a step that is the same each time for a key; see `RepeatedStep.take`.

        It waits where the card is too far behind.
        """
        self._ask(key, work)
        self._asked += 1
        if self._asked % (IN_FLIGHT // 2) == 0:
            if self._last is not None:
                self._wait(self._last)
            self._last = self._mark()

    def _ask(self, key: Hashable, work: Work) -> None:
        """Ask the card for a step, by its recording where there is one."""
        if key not in self._recordings or self._record is None:
            super().take(key, work)
            self._recordings[key] = None
            if len(self._recordings) > KEPT:
                self._recordings.popitem(last=False)
            return
        self._recordings.move_to_end(key)
        if self._recordings[key] is None:
            self._recordings[key] = self._captured(key, work)
        recording = self._recordings[key]
        if recording is None:
            super().take(key, work)
        else:
            recording.launch()

    def _captured(self, key: Hashable, work: Work) -> Any:
        """Return the recording; None, and never a try again, where card or driver refuses."""
        assert self._record is not None
        try:
            return self._record(lambda: RepeatedStep.take(self, key, work))
        except Exception as problem:  # CuPy raises what the driver does
            warnings.warn(
                f"steps are launched kernel by kernel: no CUDA graph ({problem})",
                RuntimeWarning,
                stacklevel=2,
            )
            self._record = None
            return None
