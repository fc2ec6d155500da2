"""The frames of a run file (H5MD 1.1): its series, trajectory and fields.

Nothing but `run.h5` is read.  Every reader checks what it returns, and a file that is damaged,
foreign or incomplete gives an `AnalysisError` of one line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import h5py
import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.errors import AnalysisError
from epmpi.analysis.events import Events
from epmpi.config import expected_run
from epmpi.trust import (
    HeldError,
    IncompleteError,
    TooManyFilesError,
    allow_open_files,
    check_file,
    check_presence,
    followed,
    one_line,
    open_file,
    readable,
)

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


Read = TypeVar("Read", bound=Callable[..., Any])


def checked_read(read: Read) -> Read:
    """Let a method of a `RunFile` raise AnalysisError for any error from damaged bytes."""

    @wraps(read)
    def checked(self: RunFile, *arguments: Any, **options: Any) -> Any:
        try:
            return read(self, *arguments, **options)
        except AnalysisError:
            raise
        except (OSError, RuntimeError, LookupError, TypeError, ValueError, MemoryError) as error:
            why = one_line(error)
            raise AnalysisError(f"{self.path} cannot be read (damaged file?): {why}") from error

    return cast(Read, checked)


class RunFile:
    """A finished (or stopped) run, open for reading; use it in a `with` statement.

    Parameters
    ----------
    path : path
        The RUN directory, or the run file itself.

    Attributes
    ----------
    path : Path
        Of run.h5.
    shape : tuple of int
        Of the lattice, (Lx, Ly).

    Raises
    ------
    AnalysisError
        If there is no such file, or it is not a run file of epmpi.  All methods that read raise it
        too, for what is missing, damaged, or of another shape than it should be.
    """

    def __init__(self, path: str | Path) -> None:
        given = Path(path)
        self.path = given / "run.h5" if given.is_dir() else given
        if not self.path.is_file():
            raise AnalysisError(f"no run file at {self.path}: {expected_run(given)} or a run.h5")
        try:
            self._file = open_file(followed(self.path))
        except HeldError as error:
            raise AnalysisError(f"{self.path} cannot be read now: {error}") from error
        except OSError as error:
            if error.errno:  # the system has refused, not HDF5
                raise AnalysisError(f"{self.path} cannot be read: {one_line(error)}") from error
            why = "" if "file signature not found" in str(error) else f": {one_line(error)}"
            raise AnalysisError(
                f"{self.path} cannot be opened as HDF5 (truncated, not a run file, or still being "
                f"written){why}"
            ) from error
        try:
            self._segments = check_file(self._file)
            self._check_creator()
            self.shape = self._lattice_shape()
            allow_open_files(len(self._segments))
        except AnalysisError:
            self._file.close()
            raise
        except (TooManyFilesError, IncompleteError, HeldError) as error:
            self._file.close()
            raise AnalysisError(f"{self.path} cannot be read here: {error}") from error
        # A library that reads damaged bytes may raise anything.
        except Exception as error:
            self._file.close()
            why = one_line(error)
            raise AnalysisError(f"{self.path} is not a run file, or damaged: {why}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    @property
    def name(self) -> str:
        """Name of the run: that of its directory."""
        return readable(self.path.resolve().parent.name)

    def _check_creator(self) -> None:
        creator = self._file.get("h5md/creator")
        name = "" if creator is None else plain(creator.attrs.get("name", ""))
        if name != "epmpi":
            raise AnalysisError(
                f"{self.path} is not a run file: /h5md/creator is {name!r}, expected 'epmpi'"
            )

    def _lattice_shape(self) -> tuple[int, int]:
        shape = self.parameter("lattice", "shape")
        if np.shape(shape) != (2,) or min(shape) < 1:
            raise AnalysisError(
                f"{self.path}: /parameters/lattice has shape {shape!r}, expected two lengths"
            )
        return int(shape[0]), int(shape[1])

    def parameter(self, section: str, key: str, default: Any = None) -> Any:
        """Return the value of a key in this run, or the default where the file lacks it."""
        group = self._file.get(f"parameters/{section}")
        return default if group is None else plain(group.attrs.get(key, default))

    @checked_read
    def provenance(self) -> dict[str, Any]:
        """Return the attributes of /parameters: configuration, versions, seed, device, ..."""
        group = self._file.get("parameters")
        return {} if group is None else {key: plain(value) for key, value in group.attrs.items()}

    def _read(self, dataset: h5py.Dataset, selection: Any) -> Any:
        try:
            values = dataset[selection]
        except OSError as error:
            raise AnalysisError(
                f"{self.path}: {dataset.name} cannot be read (damaged file?): {one_line(error)}"
            ) from error
        try:
            check_presence(self._segments)
        except ValueError as error:
            raise AnalysisError(f"{self.path}: {error}") from error
        return values

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
        value = self._numbers(path, slice(0, clock.time.size))
        if value.ndim != 1:
            raise AnalysisError(f"{self.path}: /{path} is not a series of numbers")
        return clock, value

    @checked_read
    def field(self, name: str, frame: int) -> NDArray[np.float64]:
        """Return one frame of a field under /fields, shape (Lx, Ly); frame -1 is the last."""
        path = f"fields/{name}"
        value = self._numbers(path, range(self.clock(path).time.size)[frame])
        if value.shape != self.shape:
            raise AnalysisError(
                f"{self.path}: /{path} has frames of shape {value.shape}, expected {self.shape}"
            )
        return value

    @checked_read
    def field_block(self, name: str, rows: slice, columns: slice) -> NDArray[np.float64]:
        """Return all frames of a block of a field, shape (frames, sites), row after row."""
        frames = self.clock(f"fields/{name}").time.size
        return self._numbers(f"fields/{name}", np.s_[:frames, rows, columns]).reshape(frames, -1)

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
        return self._numbers(POSITION, np.s_[span, tracers, :2])

    def _numbers(self, path: str, selection: Any) -> NDArray[np.float64]:
        """Return some values of a {step, time, value} group, all of which must be finite."""
        value = np.asarray(self._read(self._file[f"{path}/value"], selection), dtype=np.float64)
        if not np.isfinite(value).all():
            raise AnalysisError(f"{self.path}: /{path} holds numbers that are not finite")
        return value


def plain(value: Any) -> Any:
    """Return an HDF5 attribute as a plain Python value."""
    if isinstance(value, bytes):
        return value.decode()
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value
