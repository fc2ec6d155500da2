"""The blocks of a frame, and the annotations that readers rely on."""

import itertools

import h5py
import numpy as np

from epmpi.output import h5md
from epmpi.output.h5md import Element

DOUBLE = np.dtype(np.float64)


def test_blocks_cover_a_frame_in_chunks():
    element = Element("fields/stress", (4100, 4096), DOUBLE)
    blocks = list(element.blocks())
    assert blocks[0] == (0, 128)
    assert blocks[-1] == (4096, 4100)
    assert all(stop == start for (_, stop), (start, _) in itertools.pairwise(blocks))


def test_elements_are_annotated(tmp_path):
    with h5py.File(tmp_path / "file.h5", "w") as file:
        for path, shape in ((h5md.POSITION, (5, 3)), (h5md.EDGES, (3,)), ("fields/stress", (4, 4))):
            h5md.create(file, Element(path, shape, DOUBLE))
        box = file["particles/tracers/box"]
        assert box.attrs["dimension"] == 3
        assert list(box.attrs["boundary"]) == ["periodic"] * 3
        assert file["fields/stress/value"].attrs["units"] == "yield stress"
        assert file["fields/stress/time"].attrs["units"] == "tau"
        assert file["particles/tracers/position/value"].attrs["units"] == "lattice spacing"
        assert file["particles/tracers/position/value"].maxshape == (None, 5, 3)
