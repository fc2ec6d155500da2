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
from epmpi.output.checkpoint import FORMAT, NAME, PREVIOUS, Header, checksum, row_checksums
from epmpi.output.leftovers import has_begun, may_begin
from epmpi.output.tracer_order import TRACER_BLOCK, tracer_ranges
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Slab
from epmpi.trust import one_line, open_file, open_item

LARGEST_HEADER = 2**24  # bytes
KINDS: dict[str, tuple[type, ...]] = {  # of the values in a header, or in a mapping there
    "str": (str,),
    "int": (int,),
    "dict[str, str]": (str,),
    "dict[str, int]": (int,),
    "dict[str, float]": (int, float),
}
POSITION, DOUBLE = "tracers/position", np.dtype(np.float64)


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
    mapping = isinstance(value, dict)
    items = value.values() if mapping else [value]
    if mapping != kind.startswith("dict") or any(type(item) not in KINDS[kind] for item in items):
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
    """Return the part of this rank of the state in a checkpoint; see `Checkpoint.state`.

    Raises
    ------
    ConfigError
        On this rank, if its part is damaged or does not fit.
    """
    start, stop = tracer_ranges(number, communicator.size)[communicator.rank]
    position = np.empty((0, 2))
    with checkpoint_errors(path, advised=False), open_to_read(path) as file:
        fields = {name: read_field(file, name, a, slab) for name, a in like.fields.items()}
        counts = {n: read_small(file, f"counts/{n}", a, header) for n, a in like.counts.items()}
        root = {n: read_small(file, f"root/{n}", a, header) for n, a in like.root.items()}
        if start < stop:
            position = read_rows(file, POSITION, (number, 2), DOUBLE, start, stop)
            check_rows(file, POSITION, position, number, start, TRACER_BLOCK)
        return State(header.step_count, fields, counts, np.arange(start, stop), position, root)


def read_field(file: h5py.File, name: str, like: NDArray, slab: Slab) -> NDArray:
    """Return the rows of a slab, checked row by row."""
    shape, path = slab.lattice.shape, f"fields/{name}"
    rows = read_rows(file, path, shape, np.dtype(like.dtype), slab.start, slab.stop)
    check_rows(file, path, rows, shape[0], slab.start)
    return rows


def check_rows(
    file: h5py.File, path: str, rows: NDArray, number: int, start: int, height: int = 1
) -> None:
    """Check rows from `start` on, of a `number` in all, by the checksums of each `height`."""
    first, last, total = (-(-row // height) for row in (start, start + len(rows), number))
    kind = np.dtype(np.uint32)
    sums = read_rows(file, f"checksums/{path}", (total,), kind, first, last)
    wrong = np.flatnonzero(row_checksums(rows, height) != sums)
    if len(wrong):
        raise Damaged(f"the checksum of row {start + height * wrong[0]} of {path} is wrong")


def read_small(file: h5py.File, path: str, like: NDArray, header: Header) -> NDArray:
    """Return a small array, with its checksum in the header; one of the root may be longer."""
    dataset = plain_dataset(file, path)
    first, free = (1, ", with a first axis of any length,") if path.startswith("root/") else (0, "")
    known = dataset.ndim, dataset.shape[first:], dataset.dtype
    if known != (like.ndim, like.shape[first:], like.dtype):
        raise Damaged(
            f"{path} has shape {dataset.shape} and type {dataset.dtype}, "
            f"expected {like.shape}{free} and {like.dtype}"
        )
    values = np.asarray(dataset[()])
    if checksum(values) != header.checksums.get(path):
        raise Damaged(f"the checksum of {path} is wrong")
    return values
