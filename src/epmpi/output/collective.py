"""The parallel writer: all ranks write their slabs to one file, with an h5py built for MPI.

Fields and trajectories are written collectively (MPI-IO); the few numbers beside them (steps,
times, series, histograms, the log of events) are kept by the root, which adds them when the file
has been closed.  Frames above `ALIGNED` begin at multiples of it in the file, which is the stripe
of most parallel file systems; see `chunks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
from h5py import h5fd, h5p, h5s
from numpy.typing import NDArray

from epmpi.config import ConfigError, Configuration
from epmpi.output import chunks, h5md
from epmpi.output.failures import OutputError, output_errors
from epmpi.output.lock import RunLock
from epmpi.output.streaming import Part, StreamingWriter
from epmpi.output.tracer_order import by_identity
from epmpi.parallel import Communicator

ALIGNED = chunks.MEBIBYTE


def available() -> bool:
    """Tell whether this h5py has been built for MPI."""
    return bool(h5py.get_config().mpi)


class CollectiveWriter(StreamingWriter):
    """Appends frames to one HDF5 file from all ranks; all but `append_rows` is collective.

    Parameters, and those of its methods, as for `StreamingWriter`.
    """

    collective = True

    def __init__(self, communicator: Communicator, compression: int, lock: RunLock | None) -> None:
        super().__init__(communicator, compression, lock)
        self._before: dict[h5md.Element, int] = {}
        self._numbers: dict[h5md.Element, list[Mapping[str, NDArray]]] = {}

    def open(self, path: Path, frames: dict[h5md.Element, int] | None) -> None:
        """Open a file that holds `frames` (known to the root) to append to it."""
        self.failure = self.communicator.broadcast(self.failure)
        frames = self.communicator.broadcast(frames)
        if self.failure is not None or frames is None:
            return
        self._path = path
        with self._remembering():
            self._file = open_shared(path, self.communicator)
        self._before, self._numbers = dict(frames), {}
        self.frames, self._grown = dict(frames), dict(frames)

    def close(self) -> None:
        """Close the file; the root adds the numbers.

        Raises
        ------
        OutputError
            On the ranks that fail.
        """
        if self._file is None:
            return
        shared = set(self._grown)
        with self._remembering():
            self._file.flush()
            self._datasets.clear()
            self._file.close()
        self._file = None
        if self.communicator.max(int(self.failure is not None)):
            raise self.failure or OutputError(f"cannot write {self._path}: another rank failed")
        if self.communicator.is_root:
            if self.lock is not None:
                self.lock.check()
            super().open(self._path, {element: self._before.get(element, 0) for element in shared})
            for element, parts in self._numbers.items():
                names = parts[0]
                columns = {name: np.concatenate([part[name] for part in parts]) for name in names}
                super().append_rows(element, columns)
            self._numbers = {}
            if self.failure is not None:
                super().abandon()
                raise self.failure
            super().close()

    def abandon(self) -> None:
        """Close the file, whatever its contents."""
        file, self._file = self._file, None
        self._datasets.clear()
        self._numbers = {}
        if file is not None:
            with suppress(OSError, RuntimeError):
                file.close()

    def append_rows(self, element: h5md.Element, columns: Mapping[str, NDArray]) -> None:
        """Keep numbers until the file is closed.  On the root alone."""
        self._numbers.setdefault(element, []).append(columns)

    def append_tracers(
        self, element: h5md.Element, step: int, time: float, identity: NDArray, position: NDArray
    ) -> None:
        """Append one frame of tracer positions, ordered by identity."""
        rows = by_identity(identity, position, element.shape[0], self.communicator)
        self.append(element, step, time, *rows)

    def append(
        self, element: h5md.Element, step: int, time: float, first: int, rows: NDArray
    ) -> None:
        """Append one frame."""
        if self.failure is not None:
            return
        with self._remembering():
            if element not in self._grown:
                h5md.create(self._file, element, self.compression)
            frame = self._grown.get(element, 0)
            self._grown[element] = frame + 1
            dataset = self._dataset(element, "value")
            dataset.resize(frame + 1, axis=0)
            write_rows(dataset, (frame,), first, rows)
        if self.communicator.is_root:
            parts = self._numbers.setdefault(element, [])
            parts.append({"step": np.array([step]), "time": np.array([time])})

    def fill(self, path: Path, parts: list[Part]) -> OutputError | None:
        """Write datasets of a closed file; return the failure of this rank."""
        try:
            with output_errors(path), open_shared(path, self.communicator) as file:
                for part in parts:
                    write_rows(file[part.path], (), part.first, part.rows)
        except OutputError as error:
            return error
        return None


def make_writer(
    configuration: Configuration,
    communicator: Communicator,
    lock: RunLock | None = None,
) -> StreamingWriter:
    """Return the writer that `output.writer` names; both write the same file.

    Where it is "auto": the parallel one if h5py has been built for MPI and there are several ranks.

    Raises
    ------
    ConfigError
        On all ranks, if the parallel one is requested but not available.
    """
    output = configuration.output
    there = available()
    if output.writer == "parallel" and not there:
        raise ConfigError(
            'output.writer = "parallel": this h5py was not built for MPI; set output.writer = '
            '"auto", or install an h5py that was'
        )
    together = output.writer == "parallel" or (
        output.writer == "auto" and there and communicator.size > 1
    )
    kind = CollectiveWriter if together else StreamingWriter
    return kind(communicator, output.compression, lock)


def open_shared(path: Path, communicator: Communicator) -> h5py.File:
    """Open a file for writing on all ranks at once."""
    return h5py.File(
        path, "r+", libver=h5md.FORMAT, driver="mpio", comm=communicator.mpi,
        alignment_threshold=ALIGNED, alignment_interval=ALIGNED,
    )  # fmt: skip


def write_rows(dataset: h5py.Dataset, frame: tuple[int, ...], first: int, rows: NDArray) -> None:
    """Write this rank's rows from `first` on, perhaps none; all ranks must write at once.

    A rank without rows takes part with an empty selection: only HDF5's low-level interface can do
    that without hanging.
    """
    space = dataset.id.get_space()
    rows = np.ascontiguousarray(rows)
    if len(rows):
        start = (*frame, first, *(0 for _ in rows.shape[1:]))
        space.select_hyperslab(start, (*(1 for _ in frame), *rows.shape))
        memory = h5s.create_simple(rows.shape)
    else:
        space.select_none()
        memory, rows = h5s.create_simple((1,)), np.zeros(1, rows.dtype)
        memory.select_none()
    transfer = h5p.create(h5p.DATASET_XFER)
    transfer.set_dxpl_mpio(h5fd.MPIO_COLLECTIVE)
    dataset.id.write(memory, space, rows, dxpl=transfer)
