"""Open a run file (H5MD 1.1) and hand out its series, trajectory and fields.

Nothing but `run.h5` is read.  Every reader checks what it returns, and a file that is damaged,
foreign or incomplete gives an `AnalysisError` of one line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import h5py
import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.errors import AnalysisError
from epmpi.config import expected_run
from epmpi.trust import check_file, check_presence, one_line

POSITION = "particles/tracers/position"


@dataclass(frozen=True)
class Clock:
    """When the frames of a dataset were taken.

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


def _told_in_one_line(read: Read) -> Read:
    """Let a method of `RunFile` turn whatever damaged bytes lead to into an AnalysisError."""

    @wraps(read)
    def reading(self: RunFile, *arguments: Any, **options: Any) -> Any:
        try:
            return read(self, *arguments, **options)
        except AnalysisError:
            raise
        except (OSError, RuntimeError, LookupError, TypeError, ValueError, MemoryError) as error:
            why = one_line(error)
            raise AnalysisError(f"{self.path} cannot be read (damaged file?): {why}") from error

    return cast(Read, reading)


class RunFile:
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

    def __init__(self, path: str | Path) -> None:
        given = Path(path)
        self.path = given / "run.h5" if given.is_dir() else given
        if not self.path.is_file():
            raise AnalysisError(f"no run file at {self.path}: {expected_run(given)} or a run.h5")
        try:
            self._file = h5py.File(self.path, "r")
        except OSError as error:
            raise AnalysisError(
                f"{self.path} cannot be opened as HDF5 (truncated, not a run file, or still being "
                f"written): {str(error).splitlines()[0]}"
            ) from error
        try:
            self._segments = check_file(self._file)
            self._check_creator()
            self.shape = self._lattice_shape()
        except AnalysisError:
            self._file.close()
            raise
        # A library that reads damaged bytes may raise anything.
        except Exception as error:
            self._file.close()
            why = one_line(error)
            raise AnalysisError(f"{self.path} is not a run file, or damaged: {why}") from error

    def __enter__(self) -> RunFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    @property
    def name(self) -> str:
        """Name of the run: that of its directory."""
        return self.path.resolve().parent.name

    def _check_creator(self) -> None:
        creator = self._file.get("h5md/creator")
        name = "" if creator is None else _plain(creator.attrs.get("name", ""))
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
        """Return one key of the configuration as it ran, or the default where it is absent."""
        group = self._file.get(f"parameters/{section}")
        return default if group is None else _plain(group.attrs.get(key, default))

    @_told_in_one_line
    def provenance(self) -> dict[str, Any]:
        """Return what /parameters says of the run: configuration, versions, seed, device, ..."""
        group = self._file.get("parameters")
        return {} if group is None else {key: _plain(value) for key, value in group.attrs.items()}

    @_told_in_one_line
    def has(self, path: str) -> bool:
        """Tell whether the file holds frames of a {step, time, value} group."""
        value = self._file.get(f"{path}/value")
        return isinstance(value, h5py.Dataset) and value.shape[0] > 0 and value.size > 0

    @_told_in_one_line
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

    @_told_in_one_line
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

    @_told_in_one_line
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

    @_told_in_one_line
    def field_block(self, name: str, rows: slice, columns: slice) -> NDArray[np.float64]:
        """Return all frames of a block of a field, shape (frames, sites), row after row."""
        frames = self.clock(f"fields/{name}").time.size
        value = self._read(self._file[f"fields/{name}/value"], np.s_[:frames, rows, columns])
        value = np.asarray(value, dtype=np.float64).reshape(frames, -1)
        if not np.isfinite(value).all():
            raise AnalysisError(f"{self.path}: /fields/{name} holds numbers that are not finite")
        return value

    @_told_in_one_line
    def frames(self, path: str) -> NDArray:
        """Return all frames of a small {step, time, value} group, shape (frames, ...)."""
        frames = self.clock(path).time.size
        return np.asarray(self._read(self._file[f"{path}/value"], slice(0, frames)))

    @property
    def tracers(self) -> int:
        """Number M of tracers in the trajectory."""
        return int(self._file[f"{POSITION}/value"].shape[1])

    @_told_in_one_line
    def positions(
        self, tracers: slice | NDArray[np.int64], frames: slice = slice(None)
    ) -> NDArray[np.float64]:
        """Return the trajectory of some tracers, shape (frames, tracers, 2), lattice spacings.

        Parameters
        ----------
        tracers : slice or increasing array of int
            Identities.
        frames : slice
            Which of the frames.
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

    def _read(self, dataset: h5py.Dataset, selection: Any) -> Any:
        try:
            values = dataset[selection]
        except OSError as error:
            raise AnalysisError(
                f"{self.path}: {dataset.name} cannot be read (damaged file?): "
                f"{str(error).splitlines()[0]}"
            ) from error
        try:
            check_presence(self._segments)
        except ValueError as error:
            raise AnalysisError(f"{self.path}: {error}") from error
        return values


def _plain(value: Any) -> Any:
    """Return an HDF5 attribute as a plain Python value."""
    if isinstance(value, bytes):
        return value.decode()
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value
