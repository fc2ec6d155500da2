"""Open the directory of a new run, or of one to continue from its checkpoint."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epmpi.config import ConfigError, Configuration
from epmpi.host.console import say
from epmpi.model.state import State
from epmpi.output.checkpoint import NAME, PREVIOUS, Header
from epmpi.output.collective import make_writer
from epmpi.output.failures import on_root, output_errors, reason
from epmpi.output.leftovers import clear, may_begin, why_not
from epmpi.output.lock import RunLock, released_on_error
from epmpi.output.restart import (
    DOUBLE,
    POSITION,
    checkpoint_errors,
    open_to_read,
    parse_header,
    read_rows,
    read_state,
    remedy,
)
from epmpi.output.store import RunStore
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice, Slab
from epmpi.trust import FOLDER, HeldError, clear_mark


def open_run(
    directory: str | Path,
    configuration: Configuration,
    communicator: Communicator,
    lattice: Lattice,
    parameters: Mapping[str, Any],
) -> RunStore:
    """Make the directory of a run, with a run.h5 that has no frames yet.  Collective.

    Parameters
    ----------
    directory : path
        Must be missing, empty, or left by a run that was killed before its first checkpoint;
        missing parents are made.
    parameters : mapping
        Provenance (`provenance.collect`); that of the root is used.

    Raises
    ------
    ConfigError
        On all ranks, if the directory exists or cannot be made; nothing is changed then.
    OutputError
        On all ranks, if the directory cannot be written to.
    """
    path = Path(directory)
    make_writer(configuration, communicator)  # which may be refused
    lock = on_root(communicator, lambda: claim(path))
    known = {"run": uuid.uuid4().hex, "started": "", **parameters}
    with released_on_error(lock):
        return RunStore(path, configuration, communicator, lattice, known, lock)


def claim(path: Path) -> RunLock:
    """Make the directory of a new run, or clear one in which none has begun; return its lock.

    Raises
    ------
    ConfigError
        If it holds other files, is in use, or cannot be made; nothing is changed then.
    OutputError
        If it cannot be written to.
    """
    if not may_begin(path):
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            raise ConfigError(why_not(path)) from None
        except OSError as error:
            why = reason(error)
            raise ConfigError(f"cannot make the output directory {path}: {why}") from error
    lock = RunLock(path)
    with released_on_error(lock):
        clear(path)
    return lock


def clear_marks(directory: Path) -> None:
    """Clear the marks of HDF5 on files that a killed program had open for writing.

    Changes that it may have made are found by the usual checks of the files.

    Raises
    ------
    ConfigError
        If that program has one of the files open.
    OutputError
        If a file cannot be written to.
    """
    files = [directory / name for name in (NAME, PREVIOUS, "run.h5")]
    for path in [*files, *sorted((directory / FOLDER).glob("*.h5"))]:
        try:
            with output_errors(path):
                cleared = clear_mark(path)
        except HeldError as error:
            raise ConfigError(f"{directory} cannot be continued: {error}") from error
        if cleared:
            say(
                f"epmpi: a program that was killed had {path} open for writing: the mark that HDF5 "
                "left is cleared, and the file is checked"
            )


@dataclass
class Checkpoint:
    """A checkpoint of a run that this process has locked.

    Parameters
    ----------
    directory : Path
        RUN.
    path : Path
        Of the checkpoint file.
    header : Header
    lock : RunLock or None
        Of the directory, on the root.
    """

    directory: Path
    path: Path
    header: Header
    lock: RunLock | None

    @classmethod
    def open(
        cls, directory: str | Path, communicator: Communicator, *, previous: bool = False
    ) -> Checkpoint:
        """Lock the directory of a run and read the header of its checkpoint.  Collective.

        Parameters
        ----------
        previous : bool
            Take the checkpoint before the last.

        Raises
        ------
        ConfigError
            On all ranks, if the run is running, or the checkpoint cannot be used.
        OutputError
            On all ranks, if the directory cannot be written to.
        """
        folder = Path(directory)

        def take() -> RunLock:
            if not folder.is_dir():
                raise ConfigError(f"there is no run {folder}: expected a RUN directory")
            taken = RunLock(folder)
            with released_on_error(taken):
                clear_marks(folder)
            return taken

        def read() -> Header:
            with checkpoint_errors(path), open_to_read(path) as file:
                return parse_header(file)

        lock = on_root(communicator, take)
        path = folder / (PREVIOUS if previous else NAME)
        with released_on_error(lock):
            header: Header = communicator.broadcast(on_root(communicator, read))
        return cls(folder, path, header, lock)

    def check_size(self, configuration: Configuration, communicator: Communicator) -> None:
        """Check that it has the lattice and the tracers of a configuration.  Collective.

        Raises
        ------
        ConfigError
            On all ranks, if it does not, which is found before arrays are made.
        """
        shape, number = configuration.lattice.shape, configuration.tracers.number

        def check() -> None:
            with checkpoint_errors(self.path), open_to_read(self.path) as file:
                read_rows(file, "fields/plastic_strain", shape, DOUBLE, 0, 0)
                if number:
                    read_rows(file, POSITION, (number, 2), DOUBLE, 0, 0)

        on_root(communicator, check)

    def release(self) -> None:
        """Release the lock of the directory."""
        if self.lock is not None:
            self.lock.release()

    def state(self, like: State, number: int, slab: Slab, communicator: Communicator) -> State:
        """Return the state, each rank that of its rows.  Collective.

        Parameters
        ----------
        like : State
            Of the same model: names, shapes and dtypes; arrays of the root may have other lengths.
        number : int
            Of tracers; each rank gets some of them, at any position.

        Raises
        ------
        ConfigError
            On all ranks, if it is damaged or does not fit.
        """
        state, error = None, None
        try:
            state = read_state(self.path, self.header, like, number, slab, communicator)
        except ConfigError as found:
            error = found
        communicator.raise_named(error, everywhere=remedy(self.path))
        if state is None:
            raise ConfigError(f"checkpoint {self.path} cannot be used")
        return state

    def continue_run(
        self,
        configuration: Configuration,
        communicator: Communicator,
        lattice: Lattice,
        parameters: Mapping[str, Any],
    ) -> RunStore:
        """Open the store of the run, cut back to the frames of the checkpoint.  Collective.

        Raises
        ------
        ConfigError, OutputError
            On all ranks, if run.h5 does not have these frames, or cannot be written.
        """
        known = {**parameters, "run": self.header.run, "started": self.header.started}
        with released_on_error(self.lock):
            store = RunStore(
                self.directory, configuration, communicator, lattice, known, self.lock, self.header
            )
        on_root(communicator, self._take_its_place)
        return store

    def _take_its_place(self) -> None:
        """Make the previous checkpoint the last, in place of one that may be unusable."""
        if self.path.name == PREVIOUS:
            with output_errors(self.path):
                os.replace(self.path, self.directory / NAME)
