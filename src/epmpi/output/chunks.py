"""Chunks of the datasets of frames.

A frame above 1 MiB is cut along its first axis into chunks of up to 4 MiB: a few stripes of a
parallel file system, and the block that the streaming writer keeps in memory.  Being larger than
the chunk cache, HDF5 writes them without a copy, at the speed of a plain write.
Smaller frames share a chunk of up to 1 MiB, which stays in the cache while its frames are appended;
at most 1024 frames, so that a series of numbers has chunks of 8 KiB.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

MEBIBYTE = 1024**2
CHUNK_CACHE = MEBIBYTE  # a dataset; chunks above it are written without a copy
LARGEST_CHUNK = 4 * MEBIBYTE
LONGEST_CHUNK = 1024  # frames


def is_cached(shape: tuple[int, ...], dtype: np.dtype) -> bool:
    """Tell whether chunks for frames of the given shape stay in the cache while they grow."""
    return frame_bytes(shape, dtype) <= CHUNK_CACHE


def chunk_shape(shape: tuple[int, ...], dtype: np.dtype) -> tuple[int, ...]:
    """Return the shape of a chunk for frames of the given shape, (frames, ...)."""
    size = frame_bytes(shape, dtype)
    if is_cached(shape, dtype):
        return (min(LONGEST_CHUNK, max(1, CHUNK_CACHE // max(1, size))), *shape)
    row_bytes = size // shape[0]
    return (1, min(shape[0], max(1, LARGEST_CHUNK // row_bytes)), *shape[1:])


def blocks(rows: int, height: int) -> Iterator[tuple[int, int]]:
    """Yield ranges [start, stop) of at most `height` rows, which cover all of them."""
    for start in range(0, rows, height):
        yield start, min(start + height, rows)


def frame_bytes(shape: tuple[int, ...], dtype: np.dtype) -> int:
    """Return the bytes of one frame."""
    return dtype.itemsize * math.prod(shape)
