"""The frames of a run file (H5MD 1.1): its series, trajectory and fields.

Nothing but `run.h5` is read.  Every reader checks what it returns, and a file that is damaged,
foreign or incomplete gives an `AnalysisError` of one line.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import h5py
import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.checked_file import CheckedFile, checked_read
from epmpi.analysis.errors import AnalysisError
from epmpi.analysis.events import Events

POSITION = "particles/tracers/position"
EVENTS = "events"  # group of the event log


@dataclass(frozen=True)
class Clock:
    """Steps and times of the frames of a dataset.

    Attributes
    ----------
    step : array of int64, shape (frames,)
        Steps since the end of the warm-up, strictly increasing.
    time : array of float64, shape (frames,)
        The same in units of tau.
    origin_every : int
        Steps between the origins that logarithmic frames start from; 0 if every frame is one.
    """

    step: NDArray[np.int64]
    time: NDArray[np.float64]
    origin_every: int = 0


class RunFile(CheckedFile):
    """A finished (or stopped) run, open for reading; use it in a `with` statement.

    Parameters
    ----------
    path : path
        The RUN directory, or the run file itself.

    Raises
    ------
    AnalysisError
        If there is no such file, or it is not a run file of epmpi.  All methods that read raise it
        too, for what is missing, damaged, or of another shape than it should be.
    """

    @checked_read
    def has(self, path: str) -> bool:
        """Tell whether the file holds frames of a {step, time, value} group."""
        value = self._file.get(f"{path}/value")
        return isinstance(value, h5py.Dataset) and value.shape[0] > 0 and value.size > 0

    @checked_read
    def clock(self, path: str) -> Clock:
        """Return the steps and times of a {step, time, value} group.

        A frame that a killed run left incomplete (a time without its value) is left out.

        Raises
        ------
        AnalysisError
            If a part is missing, or the times do not increase.
        """
        parts = [self._file.get(f"{path}/{part}") for part in ("step", "time", "value")]
        if not all(isinstance(part, h5py.Dataset) and part.ndim for part in parts):
            raise AnalysisError(f"{self.path}: /{path} lacks one of step, time, value")
        frames = min(part.shape[0] for part in parts)
        step = np.asarray(self._read(parts[0], slice(0, frames)), dtype=np.int64)
        time = np.asarray(self._read(parts[1], slice(0, frames)), dtype=np.float64)
        if not (
            np.isfinite(time).all() and (np.diff(time) > 0).all() and (np.diff(step) > 0).all()
        ):
            raise AnalysisError(f"{self.path}: the times of /{path} do not increase strictly")
        every = self.parameter("origins", "every", 0) if path == POSITION else 0
        return Clock(step, time, every)

    @checked_read
    def series(self, name: str, warmup: bool = False) -> tuple[Clock, NDArray[np.float64]]:
        """Return the series of one observable, shape (samples,), with its clock.

        Parameters
        ----------
        name : str
            As under /observables.
        warmup : bool
            Read the warm-up instead (its time runs from the start of the run).
        """
        path = f"{'warmup/' if warmup else ''}observables/{name}"
        clock = self.clock(path)
        value = self._read(self._file[f"{path}/value"], slice(0, clock.time.size))
        value = np.asarray(value, dtype=np.float64)
        if value.ndim != 1 or not np.isfinite(value).all():
            raise AnalysisError(f"{self.path}: /{path} is not a series of finite numbers")
        return clock, value

    @checked_read
    def field(self, name: str, frame: int) -> NDArray[np.float64]:
        """Return one frame of a field under /fields, shape (Lx, Ly); frame -1 is the last."""
        frames = self.clock(f"fields/{name}").time.size
        value = self._read(self._file[f"fields/{name}/value"], range(frames)[frame])
        value = np.asarray(value, dtype=np.float64)
        if value.shape != self.shape or not np.isfinite(value).all():
            raise AnalysisError(
                f"{self.path}: /fields/{name} frame {frame} has shape {value.shape}, expected "
                f"{self.shape} finite numbers"
            )
        return value

    @checked_read
    def field_block(self, name: str, rows: slice, columns: slice) -> NDArray[np.float64]:
        """Return all frames of a block of a field, shape (frames, sites), row after row."""
        frames = self.clock(f"fields/{name}").time.size
        value = self._read(self._file[f"fields/{name}/value"], np.s_[:frames, rows, columns])
        value = np.asarray(value, dtype=np.float64).reshape(frames, -1)
        if not np.isfinite(value).all():
            raise AnalysisError(f"{self.path}: /fields/{name} holds numbers that are not finite")
        return value

    @checked_read
    def frames(self, path: str) -> NDArray:
        """Return all frames of a small {step, time, value} group, shape (frames, ...)."""
        frames = self.clock(path).time.size
        return np.asarray(self._read(self._file[f"{path}/value"], slice(0, frames)))

    @property
    def has_events(self) -> bool:
        """Whether there is a log of events."""
        return EVENTS in self._file

    @checked_read
    def events(self) -> Events:
        """Return the log of events (output.events).

        Raises
        ------
        AnalysisError
            If the run has kept none.
        """
        group = self._file.get(EVENTS)
        if group is None:
            if not self.parameter("output", "events", False):
                raise AnalysisError(
                    f"{self.path} has no log of events; expected a run with output.events = true"
                )
            return Events(*(np.zeros(0, kind) for kind in "ddiib"))
        needed = [column.name for column in fields(Events) if column.default is not None]
        names = needed + [column.name for column in fields(Events) if column.name in group]
        rows = min(group[name].shape[0] for name in names)
        columns = {name: np.asarray(self._read(group[name], slice(0, rows))) for name in names}
        events = Events(**columns)
        if fault := events.fault(self.shape):
            raise AnalysisError(f"{self.path}: /{EVENTS} has {fault}")
        return events

    @property
    def tracers(self) -> int:
        """Number M of tracers in the trajectory."""
        return int(self._file[f"{POSITION}/value"].shape[1])

    @checked_read
    def positions(
        self, tracers: slice | NDArray[np.int64], frames: slice = slice(None)
    ) -> NDArray[np.float64]:
        """Return the trajectory of some tracers, shape (frames, tracers, 2), lattice spacings.

        Parameters
        ----------
        tracers : slice or increasing array of int
            Identities.
        frames : slice
            Frames to read.
        """
        dataset = self._file[f"{POSITION}/value"]
        if dataset.ndim != 3 or dataset.shape[2] < 2:
            raise AnalysisError(
                f"{self.path}: positions have shape {dataset.shape}, expected (frames, number, 3)"
            )
        span = slice(*frames.indices(self.clock(POSITION).time.size))
        position = self._read(dataset, np.s_[span, tracers, :2])
        position = np.ascontiguousarray(position, dtype=np.float64)
        if not np.isfinite(position).all():
            raise AnalysisError(f"{self.path}: the trajectory holds positions that are not finite")
        return position
