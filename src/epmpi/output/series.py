"""Series, histograms and events: numbers that the root keeps until they are published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.output.element import COLUMNS, EVENTS, Element
from epmpi.output.streaming import StreamingWriter


class PendingSeries:
    """Numbers by group and name, from when they are taken until they are written.

    Parameters
    ----------
    writer : StreamingWriter
        That writes them.
    """

    def __init__(self, writer: StreamingWriter) -> None:
        self._writer = writer
        self._rows: dict[str, list[tuple[int, float, Mapping[str, Any]]]] = {}

    def take(self, group: str, step: int, time: float, values: Mapping[str, Any]) -> None:
        """Keep one number, or one array, of each name; the same names in every call of a group."""
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
    """Rows of the log of events, from when they are taken until they are written.

    Parameters
    ----------
    writer : StreamingWriter
        That writes them.

    Attributes
    ----------
    number : int
        Of the rows, the same on all ranks; to be set to 0 where they have been written.
    """

    def __init__(self, writer: StreamingWriter) -> None:
        self.number = 0
        self._writer = writer
        self._rows: list[Mapping[str, NDArray]] = []

    def take(self, columns: Mapping[str, NDArray]) -> None:
        """Keep some rows, the same on all ranks; the root keeps them."""
        self.number += len(columns["start"])
        if self._writer.communicator.is_root:
            self._rows.append(columns)

    def write(self) -> None:
        """Append all that has been kept to the file.  On the root alone."""
        if not self._rows:
            return
        columns = {name: np.concatenate([rows[name] for rows in self._rows]) for name in COLUMNS}
        self._writer.append_rows(EVENTS, columns)
        self._rows.clear()
        self._writer.commit()
