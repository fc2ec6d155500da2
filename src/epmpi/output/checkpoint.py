"""The checkpoint: the full state of a run in RUN/checkpoint.h5, on any number of ranks.

Layout: ``header`` (a JSON text: configuration, versions, clocks, and the number of frames of each
element in run.h5), ``fields/NAME`` (Lx, Ly), ``tracers/position`` (number, 2) by identity,
``counts/NAME``, ``root/NAME`` (arrays of the root alone), and under ``checksums`` the CRC-32 of
each row of the fields and of each `TRACER_BLOCK` tracers.  The header has those of the small
arrays, and a checksum of its own.  Numbers are stored as in memory, so a restart is bitwise.

It is written as ``checkpoint.h5.partial``, flushed to the disk and renamed.  The previous one is
kept as ``checkpoint.previous.h5``, in case the last one is damaged.  run.h5 is always published
first, so it holds the frames of both.
"""

from __future__ import annotations

import json
import os
import zlib
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from epmpi.model.state import State
from epmpi.output import h5md
from epmpi.output.failures import OutputError, on_root, output_errors, writing
from epmpi.output.flushing import flush_to_disk
from epmpi.output.streaming import Part, StreamingWriter
from epmpi.output.tracer_order import TRACER_BLOCK, by_identity
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Slab

FORMAT = "epmpi checkpoint 1"
NAME = "checkpoint.h5"
PREVIOUS = "checkpoint.previous.h5"


@dataclass(frozen=True)
class Header:
    """Data of a checkpoint other than the state.

    Parameters
    ----------
    run : str
        Identity of the run, the same as in run.h5.
    configuration : str
        TOML.
    versions : dict
        Of the code that wrote it.
    step_count : int
    frames : dict
        Number of frames of each element in run.h5, by path.
    last_step : dict
        Last step given to the store, by kind of output.
    clock : dict
        Counts of the simulation: wall time, ...
    started : str
        Time at which the run began.
    checksums : dict
        CRC-32 of the small arrays, by path.
    """

    run: str
    configuration: str
    versions: dict[str, str]
    step_count: int
    frames: dict[str, int]
    last_step: dict[str, int]
    clock: dict[str, float]
    started: str
    checksums: dict[str, int]


def checksum(array: NDArray) -> int:
    """Return the CRC-32 of the bytes of an array."""
    return zlib.crc32(np.ascontiguousarray(array).data)


def row_checksums(rows: NDArray, height: int = 1) -> NDArray[np.uint32]:
    """Return the CRC-32 of each `height` rows of an array, in order."""
    starts = range(0, len(rows), height)
    return np.array([checksum(rows[at : at + height]) for at in starts], np.uint32)


def parts(state: State, number: int, slab: Slab, communicator: Communicator) -> list[Part]:
    """Return the distributed datasets of a checkpoint, in the same order on all ranks."""
    found = [
        Part(f"fields/{name}", slab.lattice.shape, slab.start, rows, row_checksums(rows))
        for name, rows in state.fields.items()
    ]
    if number:
        first, rows = by_identity(state.identity, state.position, number, communicator)
        rows = np.ascontiguousarray(rows[:, :2])
        sums = row_checksums(rows, TRACER_BLOCK)
        found.append(Part("tracers/position", (number, 2), first, rows, sums))
    return found


def write_checkpoint(
    directory: Path,
    header: Header,
    state: State,
    number: int,
    slab: Slab,
    writer: StreamingWriter,
) -> None:
    """Write the checkpoint of a run; the last one becomes the previous one.  Collective.

    Parameters
    ----------
    number : int
        Of tracers.
    writer : StreamingWriter
        That of run.h5; its lock is checked before anything is changed.

    Raises
    ------
    OutputError
        On all ranks, if it cannot be written; the checkpoints are then unchanged.
    """
    communicator, partial = writer.communicator, directory / f"{NAME}.partial"
    lock = writer.lock
    distributed = parts(state, number, slab, communicator)
    checksums = [communicator.gather_rows(part.checksums) for part in distributed]

    def begin() -> None:
        if lock is not None:
            lock.check()
        write_serial_part(partial, header, state, distributed, checksums)

    def end() -> None:
        with output_errors(partial):
            flush_to_disk(partial)
        if lock is not None:
            lock.check()
        put_in_place(directory)

    try:
        on_root(communicator, begin)
        communicator.raise_alike(writer.fill(partial, distributed))
        on_root(communicator, end)
    except OutputError:
        if communicator.is_root and (lock is None or lock.is_ours):
            with suppress(OSError):
                partial.unlink(missing_ok=True)
        raise


def write_serial_part(
    path: Path,
    header: Header,
    state: State,
    distributed: list[Part],
    checksums: list[NDArray | None],
) -> None:
    """Make the file with the data of the root, and the empty datasets of all ranks."""
    small = {f"counts/{name}": values for name, values in state.counts.items()}
    small |= {f"root/{name}": values for name, values in state.root.items()}
    sums = {name: checksum(values) for name, values in small.items()}
    text = json.dumps({"format": FORMAT, **asdict(header), "checksums": sums}).encode()
    with writing(path, "w", libver=h5md.FORMAT) as file:
        made = [file.create_dataset("header", data=np.bytes_(text))]
        made[0].attrs["checksum"] = zlib.crc32(text)
        for name, values in small.items():
            made.append(file.create_dataset(name, data=values))
        for part, of_rows in zip(distributed, checksums, strict=True):
            made.append(file.create_dataset(part.path, part.shape, part.rows.dtype))
            made.append(file.create_dataset(f"checksums/{part.path}", data=of_rows))
        file.flush()


def put_in_place(directory: Path) -> None:
    """Make the finished partial file the checkpoint, and the checkpoint the previous one.

    The partial file must be flushed to the disk.

    Raises
    ------
    OutputError
        If a file cannot be renamed.
    """
    partial, current = directory / f"{NAME}.partial", directory / NAME
    with output_errors(current):
        if current.exists():
            keep_as_previous(directory)
        os.replace(partial, current)
        flush_to_disk(directory)


def keep_as_previous(directory: Path) -> None:
    """Make the checkpoint the previous one too, so that one exists at every instant."""
    current, aside = directory / NAME, directory / f"{PREVIOUS}.partial"
    aside.unlink(missing_ok=True)
    try:
        os.link(current, aside)
    except OSError:  # without links: for an instant only the previous one exists
        os.replace(current, directory / PREVIOUS)
    else:
        os.replace(aside, directory / PREVIOUS)
