"""The fields on a mesh of squares, for programs that read no lattices, such as meshio.

Each site is a cell, centred on its position.  ``mesh.h5`` has the mesh, and for each frame a view
of the field in run.h5 as one number a cell, nothing of which is copied; ``mesh.xdmf`` names them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from xml.sax.saxutils import quoteattr

import h5py
import numpy as np

from epmpi.output import h5md
from epmpi.output.failures import output_errors, writing

NUMBERS = {"f": "Float", "i": "Int", "u": "UInt"}
BLOCK = 1 << 20  # points that are written at a time
Clock = tuple[dict[int, int], list[float]]  # the frame at each step, the time of each frame
Clocks = dict[h5md.Element, Clock]  # of each field
Frames = dict[h5md.Element, int]  # of each field at one instant


def write_mesh(target: Path, inside: str, clocks: Clocks) -> list[Path]:
    """Write mesh.h5 and mesh.xdmf, and return their paths.

    Parameters
    ----------
    target : Path
        Directory.
    inside : str
        run.h5, seen from there.
    clocks : mapping
        Of each field.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    length, width = next(iter(clocks)).shape
    data, text = target / "mesh.h5", target / "mesh.xdmf"
    with writing(data, "w", libver=h5md.FORMAT) as file:
        _write_squares(file, length, width)
        for field, (at, times) in clocks.items():
            whole, path = (len(times), length, width), f"/{field.path}/value"
            for step, frame in at.items():
                layout = h5py.VirtualLayout((length * width,), field.dtype)
                layout[:] = h5py.VirtualSource(inside, path, whole, field.dtype)[frame]
                file.create_virtual_dataset(f"{step}/{field.name}", layout, absent(field.dtype))
    with output_errors(text):
        text.write_bytes(drawing("3.0", clocks, partial(_on_mesh, length, width)))
    return [data, text]


def absent(dtype: np.dtype) -> float:
    """Return the fill value for missing data, for instance after run.h5 was moved: not zero."""
    return np.nan if dtype.kind == "f" else int(np.iinfo(dtype).min)


def _write_squares(file: h5py.File, length: int, width: int) -> None:
    """Write points (Lx + 1) (Ly + 1) and the four corners of each of the Lx Ly cells."""
    packed = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
    points = file.create_dataset("points", ((length + 1) * (width + 1), 3), np.float32, **packed)
    cells = file.create_dataset("cells", (length * width, 4), np.int32, **packed)
    rows = max(1, BLOCK // (width + 1))
    y = np.arange(width + 1)
    for first in range(0, length + 1, rows):
        x = np.arange(first, min(first + rows, length + 1))
        corner = x[:, None] * (width + 1) + y
        where = np.zeros((*corner.shape, 3), np.float32)
        where[..., 0], where[..., 1] = x[:, None] - 0.5, y - 0.5
        points[corner[0, 0] : corner[-1, -1] + 1] = where.reshape(-1, 3)
        begun = corner[x < length, :-1].reshape(-1, 1)
        to = slice(first * width, first * width + len(begun))
        cells[to] = begun + np.array([0, width + 1, width + 2, 1])


def drawing(version: str, clocks: Clocks, draw: Callable[[int, Frames], Iterable[str]]) -> bytes:
    """Return the XDMF text of a time series, of which `draw` returns the lines of one instant.

    Bytes of a name that the locale does not know stay what they are.
    """
    lines = [
        '<?xml version="1.0" ?>',
        f'<Xdmf Version="{version}">',
        " <Domain>",
        '  <Grid Name="fields" GridType="Collection" CollectionType="Temporal">',
    ]
    for step in sorted(set().union(*(at for at, _ in clocks.values()))):
        frames = {field: at[step] for field, (at, _) in clocks.items() if step in at}
        field, frame = next(iter(frames.items()))
        lines.append(f'   <Grid Name="step {step}" GridType="Uniform">')
        lines.append(f'    <Time Value="{clocks[field][1][frame]!r}"/>')
        lines += [*draw(step, frames), "   </Grid>"]
    text = "\n".join([*lines, "  </Grid>", " </Domain>", "</Xdmf>", ""])
    return text.encode("utf-8", "surrogateescape")


def _on_mesh(length: int, width: int, step: int, frames: Frames) -> Iterator[str]:
    """Yield the lines that draw the squares and what is on them."""
    cells, points = length * width, (length + 1) * (width + 1)
    yield f'    <Topology TopologyType="Quadrilateral" NumberOfElements="{cells}">'
    yield _item("cells", f"{cells} 4", np.dtype(np.int32))
    yield "    </Topology>"
    yield '    <Geometry GeometryType="XYZ">'
    yield _item("points", f"{points} 3", np.dtype(np.float32))
    yield "    </Geometry>"
    for field in frames:
        name = quoteattr(field.name)
        yield f'    <Attribute Name={name} AttributeType="Scalar" Center="Cell">'
        yield _item(f"{step}/{field.name}", str(cells), field.dtype)
        yield "    </Attribute>"


def _item(name: str, shape: str, dtype: np.dtype) -> str:
    number = f'NumberType="{NUMBERS[dtype.kind]}" Precision="{dtype.itemsize}"'
    return f'     <DataItem Format="HDF" Dimensions="{shape}" {number}>mesh.h5:/{name}</DataItem>'
