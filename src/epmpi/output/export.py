"""Files for other programs: tables of the series, and views of the fields and of the tracers.

- ``series.csv``, ``warmup.csv``: one row a sample, for any program;
- ``fields.xdmf``: for ParaView; a text that refers to the fields in run.h5, nothing is copied;
- ``mesh.xdmf`` with ``mesh.h5``: the same for meshio, whose meshes have cells;
- ``tracers.h5md``: for MDAnalysis where the series have another interval than the trajectory; it
  links to the trajectory in run.h5 and to nothing else, because MDAnalysis reads frame n of every
  observable with frame n of the trajectory, whatever their times.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import h5py

from epmpi.config import ConfigError, expected_run
from epmpi.output import h5md
from epmpi.output.failures import output_errors, writing
from epmpi.output.mesh import NUMBERS, Clock, Clocks, Frames, drawing, write_mesh
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
    why_closed,
)

SERIES = {"observables": "series.csv", "warmup/observables": "warmup.csv"}


def export(run: str | Path, directory: str | Path | None = None) -> list[Path]:
    """Write what other programs read of a run.

    Parameters
    ----------
    run : path
        RUN directory, or its run.h5.
    directory : path
        Where to; default: RUN/export.

    Returns
    -------
    list of Path
        The files that have been written.

    Raises
    ------
    ConfigError
        If there is no run, or it cannot be read.
    OutputError
        If a file cannot be written.
    """
    path = Path(run) / "run.h5" if Path(run).is_dir() else Path(run)
    path = followed(path)
    target = Path(directory) if directory is not None else path.parent / "export"
    try:
        file = open_file(path)
    except HeldError as error:
        raise ConfigError(f"{path} cannot be read now: {error}") from error
    except OSError as error:
        why = why_closed(path, error)
        raise ConfigError(f"{path} cannot be read: {why}; {expected_run(Path(run))}") from error
    with file:
        try:
            segments = check_file(file)
            allow_open_files(len(segments))
            elements = h5md.elements(file)
            tables = {name: table(file, elements, group) for group, name in SERIES.items()}
            fields = [element for element in elements if element.path.startswith("fields/")]
            clocks = {field: clock(file, field) for field in fields}  # once: it opens all segments
            file["h5md"]  # which the view of the tracers takes over
            check_presence(segments)
        except (TooManyFilesError, IncompleteError, HeldError) as error:
            raise ConfigError(f"{path} cannot be read here: {error}") from error
        except (ValueError, OSError, RuntimeError, LookupError, TypeError, MemoryError) as error:
            why = one_line(error)
            raise ConfigError(f"{path} is not a run file, or damaged: {why}") from error
        made, inside = [], os.path.relpath(path, target)
        with output_errors(target):
            target.mkdir(parents=True, exist_ok=True)
            for name, rows in tables.items():
                if len(rows) > 1:
                    with open(target / name, "w", newline="", encoding="utf-8") as text:
                        csv.writer(text).writerows(rows)
                    made.append(target / name)
            if clocks:
                drawn = drawing("2.0", clocks, lambda _, now: on_lattice(clocks, inside, now))
                (target / "fields.xdmf").write_bytes(drawn)
                made += [target / "fields.xdmf", *write_mesh(target, inside, clocks)]
        if any(element.path == h5md.POSITION for element in elements):
            link_tracers(file, target / "tracers.h5md", inside)
            made.append(target / "tracers.h5md")
    return made


def table(file: h5py.File, elements: dict[h5md.Element, int], group: str) -> list[list[Any]]:
    """Return a table of the series in a group: a header, then a row for each step of any of them.

    Cells of a series that was not sampled at a step are empty.
    """
    names = [e for e in elements if e.path.rpartition("/")[0] == group and e.shape == ()]
    rows: dict[int, list[Any]] = {}
    for column, element in enumerate(names):
        parts = [file[element.path][name][: elements[element]] for name in h5md.PARTS]
        for step, time, value in zip(*(part.tolist() for part in parts), strict=True):
            row = rows.setdefault(step, [step, time, *([""] * len(names))])
            row[2 + column] = value
    header = ["step", "time", *(element.name for element in names)]
    return [header, *(rows[step] for step in sorted(rows))]


def clock(file: h5py.File, field: h5md.Element) -> Clock:
    """Return the frame at each step of a field, and the times of all frames."""
    steps, times = (file[field.path][name][()].tolist() for name in ("step", "time"))
    return {step: frame for frame, step in enumerate(steps)}, times


def on_lattice(clocks: Clocks, inside: str, frames: Frames) -> Iterator[str]:
    """Yield the lines that draw the fields at one instant, with the first index downwards.

    ParaView draws the last index of an array along its X axis: that is the y of the lattice.
    """
    sides = next(iter(clocks)).shape
    shape = " ".join(map(str, sides))
    yield f'    <Topology TopologyType="3DCoRectMesh" Dimensions="1 {shape}"/>'
    yield '    <Geometry GeometryType="ORIGIN_DXDYDZ">'
    yield '     <DataItem Format="XML" Dimensions="3">0 0 0</DataItem>'
    yield '     <DataItem Format="XML" Dimensions="3">1 1 1</DataItem>'
    yield "    </Geometry>"
    for field, frame in frames.items():
        if field.shape != sides:
            continue
        total = len(clocks[field][1])
        number = f'NumberType="{NUMBERS[field.dtype.kind]}" Precision="{field.dtype.itemsize}"'
        path = escape(f"{inside}:/{field.path}/value")
        yield f'    <Attribute Name={quoteattr(field.name)} AttributeType="Scalar" Center="Node">'
        yield f'     <DataItem ItemType="HyperSlab" Dimensions="1 {shape}" {number}>'
        cut, all_frames = f"{frame} 0 0 1 1 1 1 {shape}", f"{total} {shape}"
        yield f'      <DataItem Format="XML" Dimensions="3 3">{cut}</DataItem>'
        yield f'      <DataItem Format="HDF" Dimensions="{all_frames}" {number}>{path}</DataItem>'
        yield "     </DataItem>"
        yield "    </Attribute>"


def link_tracers(file: h5py.File, path: Path, inside: str) -> None:
    """Write an H5MD file whose particles are those of run.h5, and which has nothing else."""
    with writing(path, "w", libver=h5md.FORMAT) as view:
        file.copy("h5md", view)
        view["particles"] = h5py.ExternalLink(inside, "/particles")
