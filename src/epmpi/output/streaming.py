"""The streaming writer: slabs travel to the root, which alone writes, with the plain h5py.

A frame is sent and written block by block of a few MiB (one chunk of the dataset), so the root
never holds more than a block beside its own slab.  A failed write must not leave the other ranks
waiting: the root records the failure, receives and drops this frame and all later ones, and the
caller raises the failure on all ranks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from epmpi.output import chunks, h5md
from epmpi.output.failures import OutputError, output_errors, throw_away, writing
from epmpi.output.lock import RunLock
from epmpi.output.tracer_order import in_order, records
from epmpi.parallel import Communicator

Block = tuple[int, int, NDArray | None]  # its first row, its end and, on the root, its rows


@dataclass
class Part:
    """The part of one rank in a dataset that is written once.

    Parameters
    ----------
    path : str
        Of the dataset.
    shape : tuple of int
        Of the dataset.
    first : int
        Index along its first axis at which this rank's rows begin; in the order of the ranks.
    rows : array, shape (rows of this rank, ...)
    checksums : uint32 array
        Of the rows.
    """

    path: str
    shape: tuple[int, ...]
    first: int
    rows: NDArray
    checksums: NDArray[np.uint32]

    def blocks(self) -> Iterator[tuple[int, int]]:
        """Return the ranges [start, stop) of rows of the dataset to write at once."""
        row_bytes = chunks.frame_bytes(self.shape[1:], self.rows.dtype)
        return chunks.blocks(self.shape[0], max(1, chunks.LARGEST_CHUNK // row_bytes))


class StreamingWriter:
    """Appends frames to one HDF5 file on the root.

    Parameters
    ----------
    communicator : Communicator
    compression : int
        Level of the compression of fields, trajectories and the log of events, 0 for none.
    lock : RunLock or None
        Of the directory, on the root.
    """

    collective = False  # whether the other ranks must take part in opening and closing

    def __init__(
        self,
        communicator: Communicator,
        compression: int,
        lock: RunLock | None,
    ) -> None:
        self.lock = lock
        self.communicator = communicator
        self.compression = compression
        self.failure: OutputError | None = None  # of the root; None on the other ranks
        self.frames: dict[h5md.Element, int] = {}  # complete ones in the file, on the root
        self._grown: dict[h5md.Element, int] = {}  # the same, with those being written
        self._path = Path()
        self._file: Any = None  # h5py.File while one is open
        self._datasets: dict[str, h5py.Dataset] = {}  # held while it is; see `failures.datasets`

    def open(self, path: Path, frames: dict[h5md.Element, int] | None) -> None:
        """Open a file that holds `frames` to append to it; None on the ranks that do not write."""
        if frames is None:
            return
        self._path = path
        with self._remembering():
            self._file = h5py.File(
                path,
                "r+",
                libver=h5md.FORMAT,
                rdcc_nbytes=chunks.CHUNK_CACHE,
                locking=False,  # as `writing` does
            )
        self.frames, self._grown = dict(frames), dict(frames)

    def close(self) -> None:
        """Drop incomplete frames, and close the file.

        Raises
        ------
        OutputError
            If the buffers of HDF5 cannot be written.
        """
        if self._file is None:
            return
        with output_errors(self._path):
            try:
                for element in self._grown:
                    if self._grown[element] != self.frames.get(element, 0):
                        self._resize(element, self.frames.get(element, 0))
                self._file.flush()
            except BaseException:
                self.abandon()
                raise
            self._datasets.clear()
            self._file.close()
            self._file = None

    def abandon(self) -> None:
        """Close the file, whatever its contents."""
        if self._file is not None:
            file, self._file = self._file, None
            held = list(self._datasets.values())
            self._datasets.clear()
            throw_away(file, held)

    def append_rows(self, element: h5md.Element, columns: Mapping[str, NDArray]) -> None:
        """Append to the datasets of an element rows that are complete.  On the root alone.

        Parameters
        ----------
        columns : mapping of arrays, shape (rows, ...)
            By the names of the datasets; at least one row.
        """
        if self.failure is None:
            with self._remembering():
                self._grow(element, columns)
                self.frames[element] = self._grown[element]

    def append(
        self, element: h5md.Element, step: int, time: float, first: int, rows: NDArray
    ) -> None:
        """Append one frame.  Collective.

        Parameters
        ----------
        rows : array, shape (rows of this rank, ...)
            From `first` on along the first axis of the frame, in the order of the ranks.
        """
        self._append_frame(element, step, time, self._blocks(element.blocks(), first, rows))

    def append_tracers(
        self, element: h5md.Element, step: int, time: float, identity: NDArray, position: NDArray
    ) -> None:
        """Append one frame of tracer positions, ordered by identity.  Collective.

        Parameters
        ----------
        identity : int array, shape (tracers of this rank,)
        position : array, shape (tracers of this rank, 2)
        """
        whole = len(list(element.blocks())) == 1  # a frame in one block needs no order
        tracers = records(identity, position, ordered=not whole)

        def blocks() -> Iterator[Block]:
            for start, stop in element.blocks():
                part = slice(None)
                if not whole:
                    part = slice(*np.searchsorted(tracers["identity"], (start, stop)))
                found = self.communicator.gather_rows(tracers[part])
                yield start, stop, None if found is None else in_order(found, start, stop)

        self._append_frame(element, step, time, blocks())

    def _append_frame(
        self, element: h5md.Element, step: int, time: float, blocks: Iterator[Block]
    ) -> None:
        values = None
        if self.communicator.is_root and self.failure is None:
            with self._remembering():
                self._grow(element, {"step": np.array([step]), "time": np.array([time])})
                values = self._dataset(element, "value")
        for start, stop, rows in blocks:
            if values is not None and self.failure is None:
                with self._remembering():
                    values[-1, start:stop] = rows

    def fill(self, path: Path, parts: list[Part]) -> OutputError | None:
        """Write existing datasets of a closed file.  Collective.

        Returns
        -------
        OutputError or None
            The failure of this rank.
        """
        failure = None
        blocks = (
            (part.path, *block)
            for part in parts
            for block in self._blocks(part.blocks(), part.first, part.rows)
        )
        if self.communicator.is_root:
            try:
                with writing(path, "r+", libver=h5md.FORMAT) as file:
                    for name, start, stop, rows in blocks:
                        file[name][start:stop] = rows
            except OutputError as error:
                failure = error
        for _ in blocks:  # after a failure the root still receives the blocks
            pass
        return failure

    def _blocks(
        self, ranges: Iterable[tuple[int, int]], first: int, rows: NDArray
    ) -> Iterator[Block]:
        """Yield start, stop and, on the root, the rows of each block.  Collective."""
        for start, stop in ranges:
            low, high = np.clip((start - first, stop - first), 0, len(rows))
            yield start, stop, self.communicator.gather_rows(rows[low:high])

    def commit(self) -> None:
        """Declare the frames appended since the last call complete."""
        self.frames = dict(self._grown)

    def _grow(self, element: h5md.Element, columns: Mapping[str, NDArray]) -> None:
        """Add frames, with the values of some of the datasets."""
        number = len(next(iter(columns.values())))
        if element not in self._grown:
            h5md.create(self._file, element, self.compression)
        self._grown[element] = self._grown.get(element, 0) + number
        self._resize(element, self._grown[element])
        for name, values in columns.items():
            self._dataset(element, name)[-number:] = values

    def _resize(self, element: h5md.Element, frames: int) -> None:
        for name in element.datasets:
            self._dataset(element, name).resize(frames, axis=0)

    def _dataset(self, element: h5md.Element, name: str) -> h5py.Dataset:
        path = f"{element.path}/{name}"
        if path not in self._datasets:
            self._datasets[path] = self._file[path]
        return self._datasets[path]

    @contextmanager
    def _remembering(self) -> Iterator[None]:
        """Keep the first failure for the caller to raise on all ranks."""
        try:
            with output_errors(self._path):
                yield
        except OutputError as error:
            self.failure = self.failure or error
