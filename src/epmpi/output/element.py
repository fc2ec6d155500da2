"""The parts of run.h5: elements, which have frames in time, and the log of events.

Each is a group of datasets with first axes that grow to the same length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from epmpi.model.state import event_types
from epmpi.output.chunks import blocks, chunk_shape

PARTS = ("step", "time", "value")
COLUMNS = {  # of the log of events: unit and meaning
    "start": ("tau", "beginning of the event, since the end of the warm-up"),
    "duration": ("tau", "of the event"),
    "x": ("lattice spacing", "first coordinate of the site"),
    "y": ("lattice spacing", "second coordinate of the site"),
    "direction": ("1", "+1, -1: direction of the event"),
}
JUMP_COLUMNS = {  # that the log of instantaneous events has beside them
    "distance": ("yield stress", "threshold minus |stress| of the site before its event"),
    "drop": ("yield stress", "change of the site's stress, towards 0 if positive"),
}
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
        """Return the ranges [start, stop) along the first axis of a frame to write at once."""
        return blocks(self.shape[0], self.chunk_of("value")[1])


@dataclass(frozen=True)
class EventLog(Element):
    """The log of events, without frames: a row for each, in the order in which they ended.

    Parameters
    ----------
    instantaneous : bool
        Whether its events take no time, and have `JUMP_COLUMNS`.
    """

    instantaneous: bool = False
    scale: ClassVar[str] = "start"
    increasing: ClassVar[tuple[str, ...]] = ()

    @property
    def datasets(self) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
        """Dtype of each column; the shape of one number."""
        types = event_types(instantaneous=self.instantaneous)
        return {name: ((), np.dtype(kind)) for name, kind in types.items()}

    def chunk_of(self, name: str) -> tuple[int, ...]:
        """Return the shape of a chunk of a column."""
        return (EVENTS_IN_CHUNK,)

    def is_packed(self, name: str) -> bool:
        """Return True: all columns are compressed."""
        return True


EVENTS = EventLog("events", (), np.dtype(np.float64))
JUMPS = EventLog("events", (), np.dtype(np.float64), instantaneous=True)


def log_with(names: Iterable[str]) -> EventLog:
    """Return the log of events that has these columns."""
    return JUMPS if set(JUMP_COLUMNS) <= set(names) else EVENTS


def event_bytes(*, instantaneous: bool) -> int:
    """Return the bytes of an event in the log, uncompressed."""
    types = event_types(instantaneous=instantaneous)
    return sum(np.dtype(kind).itemsize for kind in types.values())
