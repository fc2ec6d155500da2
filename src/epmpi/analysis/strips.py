"""Trajectories and fields a strip at a time: all frames of a few tracers, or of a few sites.

No more than `READ_BYTES` are in memory, whatever the length of the run.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.run_file import POSITION, RunFile
from epmpi.physics.lattice import split

READ_BYTES = 128 * 2**20  # read from the file at once
STRIP_BYTES = 2**19  # a strip: fits in the processor's cache


def tracer_strips(run: RunFile, share: int = 0, shares: int = 1) -> Iterator[NDArray[np.float64]]:
    """Yield the whole trajectory of a few tracers at a time, shape (frames, tracers, 2).

    The strips cover all tracers, or one of several shares of them, in order of identity; positions
    are unwrapped, in lattice spacings.

    Raises
    ------
    AnalysisError
        As `RunFile.positions`.
    """
    blocks, narrow = _tracer_blocks(run, share, shares)
    for block in blocks:
        position = run.positions(block)
        for first in range(0, position.shape[1], narrow):
            yield np.ascontiguousarray(position[:, first : first + narrow])
        del position  # before the next ones are read


def tracer_strip_count(run: RunFile, share: int = 0, shares: int = 1) -> int:
    """Return the number of strips that `tracer_strips` yields."""
    blocks, narrow = _tracer_blocks(run, share, shares)
    return sum(-(-(block.stop - block.start) // narrow) for block in blocks)


def field_strips(
    run: RunFile, name: str, share: int = 0, shares: int = 1
) -> Iterator[NDArray[np.float64]]:
    """Yield all frames of a few sites of a field at a time, shape (frames, sites).

    The strips cover all sites, or those of one of several shares of the rows, row after row.

    Raises
    ------
    AnalysisError
        As `RunFile.field_block`.
    """
    frames = run.clock(f"fields/{name}").time.size
    held = max(1, READ_BYTES // (8 * frames))
    narrow = max(1, STRIP_BYTES // (8 * frames))
    rows, columns = max(1, held // run.shape[1]), min(held, run.shape[1])
    start, stop = split(run.shape[0], shares)[share]
    for row in range(start, stop, rows):
        for column in range(0, run.shape[1], columns):
            ahead = slice(row, min(row + rows, stop)), slice(column, column + columns)
            values = run.field_block(name, *ahead)
            for first in range(0, values.shape[1], narrow):
                yield np.ascontiguousarray(values[:, first : first + narrow])
            del values  # before the next ones are read


def distance_strips(run: RunFile, share: int = 0, shares: int = 1) -> Iterator[NDArray[np.float64]]:
    """Yield the distances x = sigma_Y - |sigma| from the threshold of a few sites at a time.

    As `field_strips`, (frames, sites); the threshold of a site is that of its frame where they are
    random.  In yield stresses.
    """
    yield_stress = run.parameter("model", "yield_stress", 1.0)
    stress = field_strips(run, "stress", share, shares)
    if not run.has("fields/threshold"):
        yield from (1.0 - np.abs(strip / yield_stress) for strip in stress)
        return
    threshold = field_strips(run, "threshold", share, shares)
    for sigma, sigma_y in zip(stress, threshold, strict=True):
        yield (sigma_y - np.abs(sigma)) / yield_stress


def _tracer_blocks(run: RunFile, share: int, shares: int) -> tuple[list[slice], int]:
    """Return the tracers to read at once, and how many of them are in a strip."""
    frames = max(1, run.clock(POSITION).time.size)
    width, narrow = (max(1, size // (16 * frames)) for size in (READ_BYTES, STRIP_BYTES))
    start, stop = split(run.tracers, shares)[share]
    return [slice(at, min(at + width, stop)) for at in range(start, stop, width)], narrow
