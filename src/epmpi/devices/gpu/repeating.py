"""Work that comes again and again, recorded once as a CUDA graph and then asked for as a whole.

A step of a small lattice is bound by the time that it takes to launch its kernels one by one; a
graph is launched by one call.  What it holds are the addresses and the numbers of the recording, so
the step counter and all that changes stand in arrays of the card.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

KEPT = 4  # graphs: tracers that move every few steps need two

Work = Callable[[], None]


class Repeater:
    """Does work, from its third time with the same key on without calling it.

    The first time compiles kernels and makes plans, which no recording may do; so work whose key
    changes each time, as the temperature of an annealing does, is never recorded.

    Parameters
    ----------
    record : function (work) -> graph
        Calls the work, and returns what it would have done as an object with `launch()`.
    """

    def __init__(self, record: Callable[[Work], Any]) -> None:
        self._record: Callable[[Work], Any] | None = record
        self._graphs: OrderedDict[Hashable, Any] = OrderedDict()

    def __call__(self, key: Hashable, work: Work) -> None:
        """Do work that is the same each time that it comes with this key."""
        if key not in self._graphs or self._record is None:
            work()
            self._graphs[key] = None
            if len(self._graphs) > KEPT:
                self._graphs.popitem(last=False)
            return
        self._graphs.move_to_end(key)
        if self._graphs[key] is None:
            self._graphs[key] = self._recorded(work)
        graph = self._graphs[key]
        if graph is None:
            work()
        else:
            graph.launch()

    def _recorded(self, work: Work) -> Any:
        """Return the graph; None, and never again a try, where the card or its driver refuses."""
        assert self._record is not None
        try:
            return self._record(work)
        except Exception as problem:  # CuPy raises what the driver does
            warnings.warn(
                f"steps are launched kernel by kernel: no CUDA graph ({problem})",
                RuntimeWarning,
                stacklevel=2,
            )
            self._record = None
            return None
