"""Changes to a good HDF5 file that leave it a good HDF5 file, of somebody who means harm."""

from __future__ import annotations

import json
import random
import zlib
from typing import Any

import h5py
import numpy as np

SHAPES: list[tuple[int, ...]] = [(), (0,), (1,), (3,), (2**40,), (2**31, 2**20), (4, 12, 10)]
TYPES: list[Any] = ["f8", "f4", "i1", "u8", "S5", "f8,i4", h5py.string_dtype(), "?", "c16"]
VALUES: list[Any] = [0, -1, 2**63, 1e300, float("nan"), "", "x" * 9, [], [1, 2], b"\xff", [[1]]]


def names(file: h5py.File) -> list[str]:
    """Return the paths of everything in a file."""
    found: list[str] = []
    file.visit(found.append)
    return found


def pick(file: h5py.File, chance: random.Random, kind: type = object) -> str | None:
    """Return the path of something in a file, or None if there is nothing of the kind."""
    found = [name for name in names(file) if isinstance(file.get(name), kind)]
    return chance.choice(found) if found else None


def remove(file: h5py.File, chance: random.Random) -> None:
    """Remove something."""
    if name := pick(file, chance):
        del file[name]


def replace(file: h5py.File, chance: random.Random) -> None:
    """Put a dataset of any type and size, without data, in the place of something."""
    if name := pick(file, chance):
        del file[name]
        shape = chance.choice(SHAPES)
        chunks = True if shape and 0 not in shape and chance.random() < 0.5 else None
        file.create_dataset(name, shape, chance.choice(TYPES), chunks=chunks)


def resize(file: h5py.File, chance: random.Random) -> None:
    """Let a dataset claim any number of frames."""
    if (name := pick(file, chance, h5py.Dataset)) and file[name].maxshape[:1] == (None,):
        file[name].resize(chance.choice((0, 1, 2, 100, 2**33, 2**50)), axis=0)


def overwrite(file: h5py.File, chance: random.Random) -> None:
    """Write other numbers."""
    if (name := pick(file, chance, h5py.Dataset)) and file[name].size and file[name].size < 10**6:
        dataset = file[name]
        if dataset.is_virtual or dataset.external:
            return
        if dataset.dtype.kind in "fiu":
            dataset[...] = np.array(chance.choice((0, 1, 100))).astype(dataset.dtype)
        if dataset.dtype.kind == "f" and chance.random() < 0.5:
            dataset[...] = chance.choice((np.nan, np.inf, -1e308))


def attribute(file: h5py.File, chance: random.Random) -> None:
    """Change or remove an attribute."""
    name = pick(file, chance)
    group = file[name] if name else file
    if group.attrs and (key := chance.choice(list(group.attrs))):
        del group.attrs[key]
        if chance.random() < 0.8:
            value = chance.choice(VALUES)
            group.attrs[key] = np.void(value) if isinstance(value, bytes) else value


def link(file: h5py.File, chance: random.Random) -> None:
    """Put a link, perhaps to itself or to another file, in the place of something."""
    if name := pick(file, chance):
        del file[name]
        kinds = (
            h5py.SoftLink("/"), h5py.SoftLink(f"/{name}"), h5py.ExternalLink("/nowhere/a.h5", "/x"),
            h5py.ExternalLink("run.h5", "/"), file["/"],
        )  # fmt: skip
        file[name] = chance.choice(kinds)


def elsewhere(file: h5py.File, chance: random.Random) -> None:
    """Let a dataset have its data in another file."""
    if (name := pick(file, chance, h5py.Dataset)) and file[name].shape:
        shape, dtype = file[name].shape, file[name].dtype
        del file[name]
        source = chance.choice(
            ("/nowhere/secret.h5", "../none.h5", "segments/000000.h5", "segments/../no.h5", ".")
        )
        if dtype.kind in "fiu" and 0 not in shape and chance.random() < 0.5:
            layout = h5py.VirtualLayout(shape, dtype)
            layout[...] = h5py.VirtualSource(source, name, shape=shape)
            file.create_virtual_dataset(name, layout)
        else:
            file.create_dataset(name, shape, "f8", external=[(source, 0, 2**40)])


def header(file: h5py.File, chance: random.Random) -> None:
    """Change the header of a checkpoint, with the checksum that belongs to it."""
    if not isinstance(file.get("header"), h5py.Dataset) or file["header"].dtype.kind != "S":
        return
    if file["header"].shape != ():
        return
    try:
        values = json.loads(bytes(file["header"][()]))
    except ValueError:
        return
    if not isinstance(values, dict) or not values:
        return
    key = chance.choice(list(values))
    values[key] = chance.choice((None, -1, 2**70, "x", [], {}, {"a": 1}, {"a": {}}, 1.5, True))
    if chance.random() < 0.3:
        values["configuration"] = chance.choice(
            ("[lattice]\nshape = [1000000, 1000000]", "[", '[run]\nseed = "x"', "a = 1")
        )
    text = json.dumps(values).encode()
    del file["header"]
    file.create_dataset("header", data=np.bytes_(text)).attrs["checksum"] = zlib.crc32(text)


MUTATIONS = (remove, replace, resize, overwrite, attribute, link, elsewhere, header)
