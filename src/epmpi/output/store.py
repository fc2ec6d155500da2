"""The store of a run, with which a simulation writes RUN/run.h5 and RUN/checkpoint.h5.

    with open_run(directory, configuration, communicator, lattice, parameters) as store:
        store.series(step, time, observables)
        store.trajectory(step, time, identity, position)
        store.fields(step, time, {"stress": stress})
        store.publish()
        store.checkpoint(model.state(), clock)
        store.describe({"wall_time": seconds})

Data become visible, and safe from any kill, by publication; see `publication` for the ranks and
`segments` for the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from epmpi import __version__
from epmpi.config import ConfigError, Configuration
from epmpi.model.state import State, StateError
from epmpi.output import h5md
from epmpi.output.checkpoint import Header, write_checkpoint
from epmpi.output.collective import make_writer
from epmpi.output.continuing import find_frames
from epmpi.output.failures import on_root
from epmpi.output.lock import RunLock
from epmpi.output.provenance import VERSIONS, author
from epmpi.output.publication import Publication
from epmpi.output.segments import SegmentedFile
from epmpi.output.series import PendingNumbers
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice, slabs

MOST_EVENTS = 2**17  # rows of the log of events that the root keeps, a few MiB


class RunStore:
    """Writes the series, trajectories and fields of one run; use it in a `with` statement.

    What is collective raises OutputError on all ranks where it cannot write; run.h5 and the
    checkpoint are then as published last.

    Leaving the statement publishes the data.  After an exception the root alone does so, ignoring
    failures; with the parallel writer that is impossible, and run.h5 stays as last published.

    Parameters
    ----------
    directory : Path
        Exists on the root's file system, without another run.
    configuration, communicator, lattice, parameters
        As in `open_run`; the parameters have the identity of the run, `run`, and its start time.
    lock : RunLock or None
        Of the directory, on the root; released at the end.
    header : Header or None
        Of the checkpoint that a resumed run continues from.

    Raises
    ------
    ConfigError, OutputError
        On all ranks, if run.h5 cannot be continued or written.
    """

    def __init__(
        self,
        directory: Path,
        configuration: Configuration,
        communicator: Communicator,
        lattice: Lattice,
        parameters: Mapping[str, Any],
        lock: RunLock | None = None,
        header: Header | None = None,
    ) -> None:
        self.directory = directory
        self.communicator = communicator
        self.lattice = lattice
        self.slab = slabs(lattice, communicator.size)[communicator.rank]
        self.tracers = configuration.tracers.number
        self._parameters = {
            "configuration": configuration.to_toml(),
            **configuration.to_mapping(),
            **parameters,
        }
        self._lock = lock
        self._files = SegmentedFile(directory, self._write_header, lock)
        self._writer = make_writer(configuration, communicator, lock)
        self._numbers = PendingNumbers(self._writer)
        self._publication = Publication(self._files, self._writer, self._numbers)
        self._last_step: dict[str, int] = {}
        if header is not None:
            self._continue(header)
        self.publish()
        on_root(communicator, self._files.sweep)

    def _continue(self, header: Header) -> None:
        """Continue from the frames that the checkpoint counts."""

        def find() -> None:
            self._files.resume(find_frames(self.directory, header.run, header.frames))

        on_root(self.communicator, find)
        self._last_step = dict(header.last_step)

    def __enter__(self) -> RunStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # After an error that all ranks raise alike they are in step; an OutputError was handled.
        if error is None or isinstance(error, StateError | ConfigError):
            self.publish()
        else:
            self._publication.save_alone()
        if self._lock is not None:
            self._lock.release()

    def series(
        self, step: int, time: float, values: Mapping[str, float], warmup: bool = False
    ) -> None:
        """Take a number of each name, from the root; they are written by `publish`.

        Parameters
        ----------
        step, time : int, float
            Since the end of the warm-up, or since the start of the run if `warmup`.
        values : mapping
            The same names in every call.
        """
        self._take("warmup/observables" if warmup else "observables", step, time, values)

    def histograms(self, step: int, time: float, counts: Mapping[str, NDArray[np.int64]]) -> None:
        """Take cumulative counts of each name, shape (bins,), from the root, as `series` does."""
        self._take("histograms", step, time, {name: count.copy() for name, count in counts.items()})

    def _take(self, group: str, step: int, time: float, values: Mapping[str, Any]) -> None:
        self._advance(group, step)
        self._numbers.take(group, step, time, values)
        self._publication.pending = True

    def events(self, columns: Mapping[str, NDArray]) -> None:
        """Take rows of the log of events.  Collective.

        Many rows are written before `publish`.

        Parameters
        ----------
        columns : mapping of arrays, shape (events,)
            By the names of the columns, in the order in which the events ended; the same on all
            ranks.
        """
        if not len(columns["start"]):
            return
        self._numbers.take_events(columns)
        self._publication.pending = True
        if self._numbers.events >= MOST_EVENTS:
            self._publication.begin()
            self._numbers.write()
            self._publication.commit()

    def trajectory(
        self,
        step: int,
        time: float,
        identity: NDArray[np.int64],
        position: NDArray[np.float64],
    ) -> None:
        """Append the unwrapped positions of all tracers.  Collective.

        Parameters
        ----------
        identity : int array, shape (tracers of this rank,)
            In any order; over all ranks, each of 0, ..., number - 1 once.
        position : array, shape (tracers of this rank, 2)
            In lattice spacings.
        """
        self._advance(h5md.POSITION, step)
        self._publication.begin()
        positions = h5md.Element(h5md.POSITION, (self.tracers, 3), np.dtype(np.float64))
        self._writer.append_tracers(positions, step, time, identity, position)
        self._publication.commit()
        self._take(h5md.BOX, step, time, {"edges": (*self.lattice.shape, 1.0)})

    def fields(self, step: int, time: float, fields: Mapping[str, NDArray]) -> None:
        """Append one frame of each field, slab by slab.  Collective.

        Parameters
        ----------
        fields : mapping of arrays, shape (rows of this rank, Ly)
            Names and dtypes are the same on all ranks and in every call.
        """
        self._advance("fields", step)
        self._publication.begin()
        for name, rows in fields.items():
            if rows.shape != self.slab.shape:
                raise ValueError(f"{name} has shape {rows.shape}, the slab {self.slab.shape}")
            element = h5md.Element(f"fields/{name}", self.lattice.shape, rows.dtype)
            self._writer.append(element, step, time, self.slab.start, rows)
        self._publication.commit()

    def publish(self) -> None:
        """Make everything written so far visible in run.h5, and safe.  Collective."""
        self._publication.publish()

    @property
    def publication_seconds(self) -> float:
        """Duration of the last publication, on the root."""
        return self._publication.seconds

    def checkpoint(self, state: State, clock: Mapping[str, float]) -> None:
        """Publish, then write RUN/checkpoint.h5, from which the run can be resumed.  Collective.

        Parameters
        ----------
        clock : mapping
            Counts of the simulation, returned to it at a restart; from the root.
        """
        self.publish()
        header = Header(
            run=self._parameters["run"],
            configuration=self._parameters["configuration"],
            versions={name: str(self._parameters.get(name, "")) for name in VERSIONS},
            step_count=state.step_count,
            frames=self._files.frames(),
            last_step=self._last_step,
            clock=dict(clock),
            started=self._parameters["started"],
            checksums={},
        )
        write_checkpoint(self.directory, header, state, self.tracers, self.slab, self._writer)

    def describe(self, parameters: Mapping[str, Any]) -> None:
        """Add parameters known at the end, such as the wall time, and publish.  Collective.

        Parameters
        ----------
        parameters : mapping
            From the root.
        """
        self._parameters.update(parameters)
        self._publication.pending = True
        self.publish()

    def _advance(self, what: str, step: int) -> None:
        if step <= self._last_step.get(what, -1):
            raise ValueError(f"{what} at step {step} after step {self._last_step[what]}")
        self._last_step[what] = step

    def _write_header(self, file: h5py.File) -> list[h5py.Dataset]:
        """Write the header, parameters and scales of a file."""
        h5md.write_header(file, __version__, author())
        h5md.write_parameters(file, self._parameters)
        return h5md.attach_scales(file)
