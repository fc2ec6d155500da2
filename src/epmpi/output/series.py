"""Series, histograms and events: numbers that the root keeps until they are published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.output.element import Element, log_with
from epmpi.output.streaming import StreamingWriter


class PendingSeries:
    """Numbers by group and name that are waiting to be written.

    Parameters
    ----------
    writer : StreamingWriter
    """

    def __init__(self, writer: StreamingWriter) -> None:
        self._writer = writer
        self._rows: dict[str, list[tuple[int, float, Mapping[str, Any]]]] = {}

    def take(self, group: str, step: int, time: float, values: Mapping[str, Any]) -> None:
        """Keep a number, or an array, of each name; a group always has the same names."""
        self._rows.setdefault(group, []).append((step, time, dict(values)))

    def write(self) -> None:
        """Append all that has been kept to the file.  On the root alone."""
        for group, rows in self._rows.items():
            steps = np.array([step for step, _, _ in rows], dtype=np.int64)
            times = np.array([time for _, time, _ in rows], dtype=np.float64)
            for name in rows[0][2]:
                values = np.array([numbers[name] for _, _, numbers in rows])
                kind = np.dtype(np.int64 if values.dtype.kind in "iu" else np.float64)
                element = Element(f"{group}/{name}", values.shape[1:], kind)
                self._writer.append_numbers(element, steps, times, values)
        self._rows.clear()
        self._writer.commit()


class PendingEvents:
    """Rows of the log of events that are waiting to be written.

    Parameters
    ----------
    writer : StreamingWriter

    Attributes
    ----------
    number : int
        Of the rows, the same on all ranks; the caller sets it to 0 after they have been written.
    """

    def __init__(self, writer: StreamingWriter) -> None:
        self.number = 0
        self._writer = writer
        self._rows: list[Mapping[str, NDArray]] = []

    def take(self, columns: Mapping[str, NDArray]) -> None:
        """Keep rows, the same on all ranks, on the root."""
        self.number += len(columns["start"])
        if self._writer.communicator.is_root:
            self._rows.append(columns)

    def write(self) -> None:
        """Append all that has been kept to the file.  On the root alone."""
        if not self._rows:
            return
        columns = {
            name: np.concatenate([rows[name] for rows in self._rows]) for name in self._rows[0]
        }
        self._writer.append_rows(log_with(columns), columns)
        self._rows.clear()
        self._writer.commit()
