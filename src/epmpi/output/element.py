"""The parts of run.h5: elements, which have frames in time, and the log of events.

Each is a group of datasets with first axes that grow to the same length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from epmpi.model.state import EVENT_TYPES
from epmpi.output.chunks import chunk_shape

PARTS = ("step", "time", "value")
COLUMNS = {  # of the log of events: unit and meaning
    "start": ("tau", "beginning of the event, since the end of the warm-up"),
    "duration": ("tau", "of the event"),
    "x": ("lattice spacing", "first coordinate of the site"),
    "y": ("lattice spacing", "second coordinate of the site"),
    "direction": ("1", "+1, -1: direction of the event"),
}
EVENT_BYTES = sum(np.dtype(kind).itemsize for kind in EVENT_TYPES.values())
EVENTS_IN_CHUNK = 4096


@dataclass(frozen=True)
class Element:
    """A time-dependent element.

    Parameters
    ----------
    path : str
        Its group, from the root of the file, without a leading slash.
    shape : tuple of int
        Of one frame.
    dtype : numpy.dtype
        Of the values.

    Attributes
    ----------
    scale : str
        The dataset that is the coordinate of the first dimension of all.
    increasing : tuple of str
        Datasets with strictly increasing numbers.
    """

    path: str
    shape: tuple[int, ...]
    dtype: np.dtype
    scale: ClassVar[str] = "time"
    increasing: ClassVar[tuple[str, ...]] = ("step", "time")

    @property
    def name(self) -> str:
        """The quantity."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def datasets(self) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
        """Shape of one frame and dtype of each of its datasets."""
        return {
            "step": ((), np.dtype(np.int64)),
            "time": ((), np.dtype(np.float64)),
            "value": (self.shape, self.dtype),
        }

    def chunk_of(self, name: str) -> tuple[int, ...]:
        """Return the shape of a chunk of one of its datasets, frames first; see `chunks`."""
        return chunk_shape(*self.datasets[name])

    def is_packed(self, name: str) -> bool:
        """Tell whether a dataset is compressed, if there is compression."""
        return bool(self.datasets[name][0])

    def blocks(self) -> Iterator[tuple[int, int]]:
        """Yield the ranges [start, stop) along the first axis of a frame to write at once."""
        height = self.chunk_of("value")[1]
        for start in range(0, self.shape[0], height):
            yield start, min(start + height, self.shape[0])


@dataclass(frozen=True)
class EventLog(Element):
    """The log of events, without frames: a row for each, in the order in which they ended."""

    scale: ClassVar[str] = "start"
    increasing: ClassVar[tuple[str, ...]] = ()

    @property
    def datasets(self) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
        """Dtype of each column; the shape of one number."""
        return {name: ((), np.dtype(kind)) for name, kind in EVENT_TYPES.items()}

    def chunk_of(self, name: str) -> tuple[int, ...]:
        """Return the shape of a chunk of a column."""
        return (EVENTS_IN_CHUNK,)

    def is_packed(self, name: str) -> bool:
        """Return True: all columns are compressed."""
        return True


EVENTS = EventLog("events", (), np.dtype(np.float64))
