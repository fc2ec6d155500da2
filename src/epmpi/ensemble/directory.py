"""The directory of an ensemble: ensemble.toml, and the RUN directory of each replica.

Every replica is an ordinary run in RUN/replica-000, RUN/replica-001, ...  The progress of the
ensemble is that of its runs; nothing else is stored.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from epmpi.config import ENSEMBLE, Configuration, load, replica_name
from epmpi.output.failures import output_errors
from epmpi.output.flushing import flush_to_disk
from epmpi.output.lock import RunLock
from epmpi.output.opening import claim
from epmpi.trust import check_file, open_file


class EnsembleDirectory:
    """The directory of an ensemble, locked by the root until `release`.

    Parameters
    ----------
    path : Path
        RUN.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: RunLock | None = None

    def make(self) -> None:
        """Make the directory of a new ensemble and lock it.

        Raises
        ------
        ConfigError
            If it holds anything, or cannot be made; nothing has changed then.
        OutputError
            If it cannot be written to.
        """
        self._lock = claim(self.path)

    def open(self) -> Configuration:
        """Lock the directory of an ensemble and return its configuration; `release` it in any case.

        Raises
        ------
        ConfigError
            If it is in use, or its configuration cannot be read.
        OutputError
            If it cannot be written to.
        """
        self._lock = RunLock(self.path)
        return load(self.path / ENSEMBLE)

    def write(self, configuration: Configuration) -> None:
        """Write ensemble.toml, whole or not at all; raise OutputError if that fails."""
        file = self.path / ENSEMBLE
        partial = file.with_name(f"{ENSEMBLE}.partial")
        with output_errors(file):
            partial.write_text(configuration.to_toml(), encoding="utf-8")
            flush_to_disk(partial)
            os.replace(partial, file)

    def release(self) -> None:
        """Release the lock of the directory."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def replica(self, number: int) -> Path:
        """Return the RUN directory of one replica."""
        return self.path / replica_name(number)

    def unfinished(self, configuration: Configuration) -> list[int]:
        """Return the replicas that have not reached the end that a configuration asks for."""
        duration, replicas = configuration.time.duration, range(configuration.run.replicas)
        return [number for number in replicas if not _reached(self.replica(number), duration)]


def _reached(run: Path, duration: float) -> bool:
    """Tell whether the file of a run says that it has finished, after at least this time."""
    try:
        with open_file(run / "run.h5") as file:
            check_file(file)
            parameters: Any = file["parameters"]
            done = float(parameters["time"].attrs["duration"])
            return "finished" in parameters.attrs and done >= duration
    except (OSError, RuntimeError, KeyError, ValueError, TypeError):
        return False  # resuming it prints the reason
