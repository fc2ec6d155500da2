"""The layout of run.h5: H5MD 1.1 (de Buyl, Colberg, Hoefling, Comput. Phys. Commun. 185, 1546).

Every quantity is a time-dependent element: a group with `step` and `time`, both of shape (frames,)
and strictly increasing, and `value` of shape (frames, ...).  The log of events, which has no
frames, is a group of datasets of its own (see `element`).

Units are in the attribute `units` (the CF convention, which xarray reads).  The H5MD attribute
`unit` is left out on purpose: MDAnalysis refuses any that it cannot convert to its own.

Checksums.  Chunks that go through the cache (see `chunks`), and compressed ones, have a checksum
(HDF5's filter fletcher32, deflate's own), so a reader detects a flipped bit.  Larger uncompressed
chunks have none: the filter would need a copy, and break the alignment of the parallel writer.
The texts of the header and the parameters have a fixed length (bytes in h5py): HDF5 keeps texts of
variable length in a heap without a checksum, and may loop for ever on a damaged one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from epmpi.output.chunks import is_cached
from epmpi.output.element import (
    COLUMNS,
    EVENTS,
    JUMP_COLUMNS,
    PARTS,
    Element,
    EventLog,
    log_with,
)

FORMAT = ("v110", "v110")  # read by HDF5 1.10 and later; the first that has virtual datasets

POSITION = "particles/tracers/position"
BOX = "particles/tracers/box"
EDGES = f"{BOX}/edges"
QUANTITIES = {  # unit and meaning, for the names that are not clear by themselves
    "activity": ("1", "fraction of active sites"),
    "stress_mean": ("yield stress", ""),
    "stress_variance": ("yield stress^2", ""),
    "macroscopic_strain": ("1", "strain of the whole lattice since the start of the run"),
    "events": ("1", "activations since the start of the run"),
    "active_time": (
        "tau x sites",
        "time that all sites together have been active, since the start of the run",
    ),
    "position": ("lattice spacing", "unwrapped tracer positions, by tracer identity"),
    "edges": ("lattice spacing", ""),
    "stress": ("yield stress", ""),
    "active": ("1", "0: inactive; +1, -1: direction of the event"),
    "threshold": ("yield stress", "of each site, random"),
    "waiting_times": (
        "1",
        "waits between activations of a site since the end of the warm-up, by bins of "
        "/parameters/waiting_times",
    ),
    "step": ("1", "time steps since the end of the warm-up"),
    "time": ("tau", "time since the end of the warm-up"),
}
OTHERS = ("1", "")  # of a quantity without an entry
DURING_WARMUP = {
    "step": ("1", "time steps since the start of the run"),
    "time": ("tau", "time since the start of the run"),
}
AXES = {  # of a frame: unit and meaning
    "x": ("lattice spacing", "first coordinate of the sites"),
    "y": ("lattice spacing", "second coordinate of the sites"),
    "tracer": ("1", "identity of the tracers"),
    "axis": ("1", "0: x; 1: y; 2: z, which is 0"),
    "bin": ("1", "of /parameters/waiting_times"),
}


def write_header(file: h5py.File, version: str, author: str) -> None:
    """Write the group h5md."""
    header = file.require_group("h5md")
    header.attrs["version"] = np.array([1, 1], dtype=np.int32)
    header.require_group("author").attrs["name"] = fixed(author)
    creator = header.require_group("creator")
    creator.attrs["name"] = fixed("epmpi")
    creator.attrs["version"] = fixed(version)


def write_parameters(file: h5py.File, parameters: Mapping[str, Any]) -> None:
    """Write parameters as attributes of the group parameters; a mapping becomes a subgroup.

    Only the resolved configuration and numbers, texts and lists of them are stored, no objects
    that a reader would have to execute.  Previous attributes are removed.
    """
    if "parameters" in file:
        del file["parameters"]
    _write_attributes(file.require_group("parameters"), parameters)


def _write_attributes(group: h5py.Group, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, Mapping):
            _write_attributes(group.require_group(name), value)
        else:
            group.attrs[name] = fixed(value) if isinstance(value, str) else value


def fixed(text: str) -> NDArray[np.bytes_]:
    """Return a text as UTF-8 of a fixed length."""
    data = text.encode("utf-8", "replace")
    return np.array(data, h5py.string_dtype("utf-8", max(1, len(data))))


def create(file: h5py.File, element: Element, compression: int = 0) -> None:
    """Create the datasets of an element, without frames.

    Parameters
    ----------
    compression : int
        Level of the compression (shuffle and deflate) of values that are arrays, and of the log of
        events; 0 for none.
    """
    group = file.create_group(element.path)
    for name, (shape, dtype) in element.datasets.items():
        pack = compression and element.is_packed(name)
        packed = {"compression": compression, "shuffle": True} if pack else {}
        small = is_cached(shape, dtype)
        group.create_dataset(
            name,
            shape=(0, *shape),
            maxshape=(None, *shape),
            chunks=element.chunk_of(name),
            dtype=dtype,
            fletcher32=small,
            **packed,
        )
    annotate(file, element)


def attach_scales(file: h5py.File) -> list[h5py.Dataset]:
    """Name the dimensions of all elements, with their coordinates, for xarray and netCDF.

    The scale of the first dimension is the `time` of an element, the `start` of the log of events;
    those of the others, such as `fields/x` and `fields/y`, count from 0: xarray needs names for
    all dimensions or for none.  Scales that are attached already are left unchanged.

    Returns
    -------
    list of h5py.Dataset
        The new datasets, to be held until the file has been flushed.
    """
    made: list[h5py.Dataset] = []
    for element in elements(file):
        group = file[element.path]
        first = group[element.scale]
        if first.is_scale:
            continue
        first.make_scale(element.scale)
        for name in element.datasets:
            if name != element.scale:
                group[name].dims[0].attach_scale(first)
        home = file["particles/tracers"] if element.path == EDGES else group.parent
        for axis, name in enumerate(axes_of(element)):
            if name not in home:
                numbers = np.arange(element.shape[axis])
                scale = home.create_dataset(
                    name, data=numbers, compression=1, shuffle=True, fletcher32=True
                )
                scale.make_scale(name)
                scale.attrs["units"], scale.attrs["long_name"] = AXES[name]
                made.append(scale)
            group["value"].dims[1 + axis].attach_scale(home[name])
    return made


def axes_of(element: Element) -> tuple[str, ...]:
    """Return the names of the dimensions of a frame."""
    if element.path in (POSITION, EDGES):
        return ("tracer", "axis")[-len(element.shape) :]
    return ("x", "y") if element.path.startswith("fields/") else ("bin",)[: len(element.shape)]


def elements(file: h5py.File) -> dict[Element, int]:
    """Return the elements in a file, with the number of complete frames of each.

    Raises
    ------
    ValueError
        If an element is incomplete.
    """
    found: dict[Element, int] = {}

    def look(path: str, group: Any) -> None:
        names = tuple(COLUMNS) if path == EVENTS.path else PARTS
        if not isinstance(group, h5py.Group) or not set(names) <= set(group):
            return
        log = log_with(group) if path == EVENTS.path else None
        names = tuple(log.datasets) if log else names
        parts = [group[name] for name in names]
        if not all(isinstance(part, h5py.Dataset) and part.ndim for part in parts):
            raise ValueError(f"{path} has no datasets {', '.join(names)}")
        last = parts[-1]
        element = log or Element(path, last.shape[1:], last.dtype)
        found[element] = min(len(part) for part in parts)

    file.visititems(look)
    return found


def annotate(file: h5py.File, element: Element) -> None:
    """Write the units and meanings of an element, and the attributes of the box."""
    group = file[element.path]
    if isinstance(element, EventLog):
        known = COLUMNS | JUMP_COLUMNS
    else:
        known = QUANTITIES | (DURING_WARMUP if element.path.startswith("warmup/") else {})
    for dataset in group.values():
        name = dataset.name.rsplit("/", 1)[-1]
        unit, meaning = known.get(element.name if name == "value" else name, OTHERS)
        dataset.attrs["units"] = unit
        if meaning:
            dataset.attrs["long_name"] = meaning
    if element.path == EDGES:
        group.parent.attrs["dimension"] = 3  # MDAnalysis accepts no other number
        group.parent.attrs.create("boundary", ["periodic"] * 3, dtype=h5py.string_dtype())
