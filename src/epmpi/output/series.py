"""Series, histograms and events: numbers that the root keeps until they are published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.output.element import Element, log_with
from epmpi.output.streaming import StreamingWriter


class PendingNumbers:
    """Numbers of the root that are waiting to be written.

    Attributes
    ----------
    events : int
        Rows of the log of events among them, the same on all ranks.
    """

    def __init__(self, writer: StreamingWriter) -> None:
        self.events = 0
        self._writer = writer
        self._rows: dict[str, list[tuple[int, float, Mapping[str, Any]]]] = {}
        self._log: list[Mapping[str, NDArray]] = []

    def take(self, group: str, step: int, time: float, values: Mapping[str, Any]) -> None:
        """Keep a number, or an array, of each name; a group always has the same names."""
        if self._writer.communicator.is_root:
            self._rows.setdefault(group, []).append((step, time, dict(values)))

    def take_events(self, columns: Mapping[str, NDArray]) -> None:
        """Keep rows of the log of events, the same on all ranks."""
        self.events += len(columns["start"])
        if self._writer.communicator.is_root:
            self._log.append(columns)

    def write(self) -> None:
        """Append all that the root has kept to its file."""
        self.events = 0
        for group, rows in self._rows.items():
            steps = np.array([step for step, _, _ in rows], dtype=np.int64)
            times = np.array([time for _, time, _ in rows], dtype=np.float64)
            for name in rows[0][2]:
                values = np.array([numbers[name] for _, _, numbers in rows])
                kind = np.dtype(np.int64 if values.dtype.kind in "iu" else np.float64)
                element = Element(f"{group}/{name}", values.shape[1:], kind)
                self._writer.append_rows(element, {"step": steps, "time": times, "value": values})
        if self._log:
            columns = {
                name: np.concatenate([rows[name] for rows in self._log]) for name in self._log[0]
            }
            self._writer.append_rows(log_with(columns), columns)
        self._rows.clear()
        self._log.clear()
