"""A run file, checked when it is opened; damage found later gives an error of one line."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import h5py
import numpy as np

from epmpi.analysis.errors import AnalysisError
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

Read = TypeVar("Read", bound=Callable[..., Any])


def checked_read(read: Read) -> Read:
    """Let a method of a `CheckedFile` raise AnalysisError for any error from damaged bytes."""

    @wraps(read)
    def checked(self: CheckedFile, *arguments: Any, **options: Any) -> Any:
        try:
            return read(self, *arguments, **options)
        except AnalysisError:
            raise
        except (OSError, RuntimeError, LookupError, TypeError, ValueError, MemoryError) as error:
            why = one_line(error)
            raise AnalysisError(f"{self.path} cannot be read (damaged file?): {why}") from error

    return cast(Read, checked)


class CheckedFile:
    """A run file of epmpi, open for reading, and its header; see `RunFile`.

    Attributes
    ----------
    path : Path
        Of run.h5.
    shape : tuple of int
        Of the lattice, (Lx, Ly).
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


def plain(value: Any) -> Any:
    """Return an HDF5 attribute as a plain Python value."""
    if isinstance(value, bytes):
        return value.decode()
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value
