import numpy as np
import pytest

from epmpi.output.chunks import MEBIBYTE, chunk_shape

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
