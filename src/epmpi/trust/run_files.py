"""Checks of an untrusted run file, before its contents are read.

A run file may refer to its segments only: no path in it leads out of its directory.  Sizes in
headers are compared with the bytes that the file has stored.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import h5py

from epmpi.trust.finding import IncompleteError
from epmpi.trust.foreign_writers import open_file
from epmpi.trust.opening import check_heaps, open_item

FOLDER = "segments"  # beside run.h5, which may refer to files in it
SEGMENT = re.compile(r"[0-9]{6,12}\.h5")
SOURCE = re.compile(rf"{FOLDER}/({SEGMENT.pattern})")
MOST_OBJECTS = 10_000
SMALL = 2**26  # bytes: all read in some 50 ms
READ = ("/h5md", "/parameters")  # groups whose attributes are always read
PLAIN = (h5py.h5t.TypeIntegerID, h5py.h5t.TypeFloatID, h5py.h5t.TypeEnumID)
DEFLATE = 1100  # largest compression ratio of deflate, for zeros
NUMBERS = "fiub"  # kinds of dtype


def check_file(file: h5py.File) -> list[Path]:
    """Check an open run file, and the segments that it refers to; return their paths.

    Raises
    ------
    IncompleteError
        If a segment is missing; one line.
    HeldError
        If another program has a segment open for writing, or was killed while it had.
    ValueError
        If it is not a valid run file; one line.
    """
    folder = Path(file.filename).parent / FOLDER
    segments = [folder / name for name in sorted(check_one(file))]
    for path in segments:
        if not path.exists():
            raise IncompleteError(
                f"it refers to {FOLDER}/{path.name}, which is not beside it: its frames are "
                f"in {FOLDER}/; copy the whole directory of the run, or link to it"
            )
        with open_file(path) as segment:
            if check_one(segment):
                raise ValueError(f"{FOLDER}/{path.name} refers to other files")
    return segments


def check_presence(segments: list[Path]) -> None:
    """Check after reading that the segments still exist: HDF5 reads zeros where one is missing.

    A resumed run removes segments that are newer than its checkpoint.

    Raises
    ------
    ValueError
        If one is missing; one line.
    """
    for path in segments:
        if not path.exists():
            raise ValueError(
                f"{FOLDER}/{path.name} is gone: the run has been resumed meanwhile, read it again"
            )


def check_one(file: h5py.File) -> set[str]:
    """Check one file, all of it if it is small; return the names of its segments."""
    path = Path(file.filename)
    small = path.stat().st_size <= SMALL
    if small:
        check_heaps(path)
    return check_objects(file, any_attributes=small)


def one_line(error: BaseException) -> str:
    """Return the message of an error as one line of at most 200 characters.

    Of what the system has refused, its own words alone: HDF5 adds its internals.
    """
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return " ".join(str(error).split())[:200] or type(error).__name__


def readable(path: str | Path) -> str:
    """Return a path as a text that can be stored and printed.

    Bytes that the locale cannot decode are replaced.
    """
    return os.fsencode(path).decode("utf-8", "replace")


def check_objects(file: h5py.File, any_attributes: bool) -> set[str]:
    """Check all groups and datasets of one file; return the names of its segments.

    `any_attributes` allows attributes other than numbers and plain texts: their heaps have been
    checked.
    """
    segments: set[str] = set()
    seen = {address(file)}
    waiting: list[tuple[str, h5py.Group]] = [("", file)]
    while waiting:
        path, group = waiting.pop()
        for name in group:
            below = f"{path}/{name}"[:200]
            try:
                item = open_item(group, name)
            except ValueError as error:
                raise ValueError(f"{below} {error}") from error
            if address(item) in seen:
                raise ValueError(f"{below} exists under another name too")
            seen.add(address(item))
            check_attributes(item, below, any_attributes)
            if len(seen) > MOST_OBJECTS:
                raise ValueError(f"there are more than {MOST_OBJECTS} objects")
            if isinstance(item, h5py.Group):
                waiting.append((below, item))
            elif isinstance(item, h5py.Dataset):
                segments |= check_dataset(item, below)
            else:
                raise ValueError(f"{below} is neither a group nor a dataset")
    return segments


def check_attributes(item: h5py.Group | h5py.Dataset, path: str, any_attributes: bool) -> None:
    """Open all attributes of an object, which detects damage, without reading them."""
    for index in range(h5py.h5a.get_num_attrs(item.id)):
        attribute = h5py.h5a.open(item.id, index=index)
        kind = attribute.get_type()
        plain = isinstance(kind, PLAIN) or (
            isinstance(kind, h5py.h5t.TypeStringID) and not kind.is_variable_str()
        )
        if path.startswith(READ) and not (plain or any_attributes):
            raise ValueError(f"{path} has an attribute that is neither number nor plain text")


def address(item: h5py.Group | h5py.Dataset) -> int:
    """Return the address of an object, which identifies it within its file."""
    return int(h5py.h5o.get_info(item.id).addr)


def check_dataset(dataset: h5py.Dataset, path: str) -> set[str]:
    """Check that the data of a dataset exist; return the names of the segments they are in."""
    if dataset.dtype.kind not in NUMBERS or dataset.dtype.shape:
        raise ValueError(f"{path} does not hold numbers")
    if dataset.external:
        raise ValueError(f"{path} has its data in another file")
    if dataset.is_virtual:
        found = set()
        for source in dataset.virtual_sources():
            name = SOURCE.fullmatch(source.file_name)
            if name is None or source.dset_name != path:
                raise ValueError(f"{path} has its data in {source.file_name[:80]}")
            found.add(name[1])
        return found
    stored = dataset.id.get_storage_size()
    if dataset.nbytes > stored * (DEFLATE if dataset.compression else 1):
        raise ValueError(f"{path} claims {dataset.nbytes} bytes and has {stored}")
    return set()
