"""Read a checkpoint on any number of ranks, after checking that it is intact.

The file is untrusted: nothing in it is executed, sizes are compared with those of the configuration
first, and no path in it is followed.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from epmpi.config import ConfigError
from epmpi.model.state import State
from epmpi.output.checkpoint import (
    FORMAT,
    NAME,
    PREVIOUS,
    Header,
    block_checksums,
    checksum,
    row_checksums,
)
from epmpi.output.failures import on_root
from epmpi.output.leftovers import has_begun, may_begin
from epmpi.output.tracer_order import TRACER_BLOCK, tracer_ranges
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Slab
from epmpi.trust import one_line, open_file, open_item

LARGEST_HEADER = 2**24  # bytes
KINDS = {"str": str, "int": int}  # of the values in a header


class Damaged(Exception):
    """A damaged file."""


@contextmanager
def checkpoint_errors(path: Path, *, advised: bool = True) -> Iterator[None]:
    """Turn any error from a damaged or foreign file into a ConfigError, with the remedy."""
    try:
        yield
    except FileNotFoundError:
        advice = remedy(path) if advised else ""
        raise ConfigError(f"there is no checkpoint {path}{advice}") from None
    # A library that reads damaged bytes may raise anything.
    except Exception as error:
        advice = remedy(path) if advised else ""
        why = one_line(error)
        raise ConfigError(f"checkpoint {path} cannot be used: {why}{advice}") from error


def remedy(path: Path) -> str:
    """Return the remedy for a checkpoint that cannot be used."""
    if path.name == NAME and (path.parent / PREVIOUS).exists():
        return "; the previous one exists: resume with --previous"
    if may_begin(path.parent):
        return "; the run had not begun: run it again, in the same directory"
    if not has_begun(path.parent):
        return "; no run has begun there: begin it with epmpi run, in another directory"
    return "; restore it from a copy, or begin another run from the last fields of run.h5 " + (
        f"(initial.state = '{path.parent / 'run.h5'}')"
    )


def read_header(path: Path, communicator: Communicator) -> Header:
    """Return the header of a checkpoint; the root reads it.  Collective.

    Raises
    ------
    ConfigError
        On all ranks, if there is none, or it is damaged or foreign.
    """

    def read() -> Header:
        with checkpoint_errors(path), open_to_read(path) as file:
            return parse_header(file)

    header: Header = communicator.broadcast(on_root(communicator, read))
    return header


def check_size(path: Path, shape: tuple[int, int], number: int, communicator: Communicator) -> None:
    """Check that a checkpoint holds a lattice and tracers, before arrays are made.  Collective.

    Raises
    ------
    ConfigError
        On all ranks, if its arrays do not fit the configuration in its header.
    """

    def check() -> None:
        with checkpoint_errors(path), open_to_read(path) as file:
            double = np.dtype(np.float64)
            read_rows(file, "fields/plastic_strain", shape, double, 0, 0)
            if number:
                read_rows(file, "tracers/position", (number, 2), double, 0, 0)

    on_root(communicator, check)


def open_to_read(path: Path) -> h5py.File:
    """Open a file that must exist."""
    path.stat()  # raises FileNotFoundError, whose message is shorter than h5py's
    return open_file(path)


def parse_header(file: h5py.File) -> Header:
    """Return the header of an open checkpoint."""
    dataset = plain_dataset(file, "header")
    if dataset.shape != () or dataset.dtype.kind != "S":
        raise Damaged("its header is not a text")
    if dataset.dtype.itemsize > LARGEST_HEADER:
        raise Damaged(f"its header has {dataset.dtype.itemsize} bytes")
    text = bytes(dataset[()])
    if zlib.crc32(text) != dataset.attrs.get("checksum"):
        raise Damaged("the checksum of its header is wrong")
    values = json.loads(text)
    if not isinstance(values, dict) or values.pop("format", None) != FORMAT:
        raise Damaged(f"its format is not '{FORMAT}'")
    known = {item.name: str(item.type) for item in fields(Header)}
    if set(values) != set(known):
        raise Damaged(f"its header has the keys {sorted(values)}, expected {sorted(known)}")
    for name, kind in known.items():
        check_kind(name, values[name], kind)
    return Header(**values)


def check_kind(name: str, value: Any, kind: str) -> None:
    """Check a value of the header against the annotation of its field."""
    if kind in KINDS:
        good = type(value) is KINDS[kind]
    else:
        inside: Any = str if "str, str" in kind else (int, float) if "float" in kind else int
        good = isinstance(value, dict) and all(
            isinstance(item, inside) and not isinstance(item, bool) for item in value.values()
        )
    if not good:
        raise Damaged(f"{name} in its header is not of type {kind}")


def plain_dataset(file: h5py.File, path: str) -> h5py.Dataset:
    """Return a dataset whose data are in this file, all of them."""
    group: Any = file
    for name in path.split("/"):
        if not isinstance(group, h5py.Group):
            raise Damaged(f"it lacks {path}")
        try:
            group = open_item(group, name)
        except KeyError:
            raise Damaged(f"it lacks {path}") from None
        except ValueError as error:
            raise Damaged(f"{path} {error}") from error
    if not isinstance(group, h5py.Dataset) or group.is_virtual or group.external:
        raise Damaged(f"{path} is not a plain dataset")
    if group.chunks is not None or group.id.get_storage_size() != group.nbytes:
        raise Damaged(f"{path} is stored in another way than epmpi writes it")
    return group


def read_rows(
    file: h5py.File, path: str, shape: tuple[int, ...], dtype: np.dtype, start: int, stop: int
) -> NDArray:
    """Return the rows [start, stop) of a dataset that must have this shape and dtype."""
    dataset = plain_dataset(file, path)
    if dataset.shape != shape or dataset.dtype != dtype:
        raise Damaged(
            f"{path} has shape {dataset.shape} and type {dataset.dtype}, expected {shape}, {dtype}"
        )
    rows: NDArray = dataset[start:stop]
    return rows


def read_state(
    path: Path, header: Header, like: State, number: int, slab: Slab, communicator: Communicator
) -> State:
    """Return the state in a checkpoint, each rank that of its rows.  Collective.

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
        with checkpoint_errors(path, advised=False), open_to_read(path) as file:
            state = State(
                header.step_count,
                {name: read_field(file, name, field, slab) for name, field in like.fields.items()},
                {name: read_count(file, name, n, header) for name, n in like.counts.items()},
                *read_tracers(file, number, communicator),
                {name: read_root(file, name, a, header) for name, a in like.root.items()},
            )
    except ConfigError as found:
        error = found
    communicator.raise_named(error, everywhere=remedy(path))
    if state is None:
        raise ConfigError(f"checkpoint {path} cannot be used")
    return state


def read_field(file: h5py.File, name: str, like: NDArray, slab: Slab) -> NDArray:
    """Return the rows of a slab, checked row by row."""
    shape, path = slab.lattice.shape, f"fields/{name}"
    rows = read_rows(file, path, shape, np.dtype(like.dtype), slab.start, slab.stop)
    sums = read_rows(
        file, f"checksums/{path}", shape[:1], np.dtype(np.uint32), slab.start, slab.stop
    )
    wrong = np.flatnonzero(row_checksums(rows) != sums)
    if len(wrong):
        raise Damaged(f"the checksum of row {slab.start + wrong[0]} of {path} is wrong")
    return rows


def read_count(file: h5py.File, name: str, like: NDArray, header: Header) -> NDArray[np.int64]:
    """Return a small array that all ranks have."""
    path = f"counts/{name}"
    dataset = plain_dataset(file, path)
    if dataset.shape != like.shape or dataset.dtype != np.int64:
        raise Damaged(f"{path} has shape {dataset.shape}, expected {like.shape}")
    return read_checked(dataset, path, header)


def read_root(file: h5py.File, name: str, like: NDArray, header: Header) -> NDArray:
    """Return an array of the root alone, with a first axis of any length."""
    path = f"root/{name}"
    dataset = plain_dataset(file, path)
    known = dataset.ndim, *dataset.shape[1:], dataset.dtype
    if known != (like.ndim, *like.shape[1:], like.dtype):
        raise Damaged(
            f"{path} has shape {dataset.shape} and type {dataset.dtype}, expected {like.shape}, "
            f"with a first axis of any length, and {like.dtype}"
        )
    return read_checked(dataset, path, header)


def read_checked(dataset: h5py.Dataset, path: str, header: Header) -> NDArray:
    """Return a small array, whose checksum is in the header."""
    values = np.asarray(dataset[()])
    if checksum(values) != header.checksums.get(path):
        raise Damaged(f"the checksum of {path} is wrong")
    return values


def read_tracers(
    file: h5py.File, number: int, communicator: Communicator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return identities and positions of this rank's part of the file."""
    start, stop = tracer_ranges(number, communicator.size)[communicator.rank]
    if start >= stop:
        return np.arange(0), np.empty((0, 2))
    path, double = "tracers/position", np.dtype(np.float64)
    rows = read_rows(file, path, (number, 2), double, start, stop)
    blocks = -(-number // TRACER_BLOCK)
    sums = read_rows(
        file, f"checksums/{path}", (blocks,), np.dtype(np.uint32),
        start // TRACER_BLOCK, -(-stop // TRACER_BLOCK),
    )  # fmt: skip
    wrong = np.flatnonzero(block_checksums(rows) != sums)
    if len(wrong):
        raise Damaged(f"the checksum of tracers from {start + TRACER_BLOCK * wrong[0]} is wrong")
    return np.arange(start, stop), rows
