"""Chunks and the annotations that readers rely on."""

import itertools

import h5py
import numpy as np
import pytest

from epmpi.output import h5md
from epmpi.output.h5md import MEBIBYTE, Element, chunk_shape

DOUBLE = np.dtype(np.float64)


@pytest.mark.parametrize(
    ("shape", "dtype", "expected"),
    [
        ((), DOUBLE, (1024,)),  # a series
        ((4096, 3), DOUBLE, (10, 4096, 3)),  # several small frames
        ((256, 256), DOUBLE, (2, 256, 256)),
        ((4096, 4096), DOUBLE, (1, 128, 4096)),  # a part of a large frame
        ((4096, 4096), np.dtype(np.int8), (1, 1024, 4096)),
        ((3, 2**20), DOUBLE, (1, 1, 2**20)),  # rows are never cut
        ((700, 700), DOUBLE, (1, 700, 700)),
    ],
)
def test_chunks(shape, dtype, expected):
    assert chunk_shape(shape, dtype) == expected


@pytest.mark.parametrize("side", [1, 10, 362, 363, 1000, 8192])
def test_chunks_are_cached_or_written_straight(side):
    chunk = chunk_shape((side, side), DOUBLE)
    size = np.prod(chunk) * 8
    assert size <= 4 * MEBIBYTE
    assert chunk[0] == 1 or size <= MEBIBYTE


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
