"""Tracers of a GPU, listed by the block of rows that they are on, so that a block moves its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.devices.gpu import tracer_kernels
from epmpi.devices.tracer_move import TracerMove
from epmpi.physics.advection import INTERPOLATIONS


class TracerBlocks:
    """Lists the tracers of a slab by blocks of rows, and moves them block by block.

    Parameters and methods as of `device.TracerBlocks`.
    """

    def __init__(self, device: Any, rows: int, height: int) -> None:
        self._device = device
        self._height = height
        self._blocks = -(-rows // height)
        self._starts = device.zeros((self._blocks + 1,), np.int64)
        self._next = device.zeros((self._blocks,), np.int64)
        self._listed = device.zeros((0,), np.int64)

    def sort(self, move: TracerMove) -> None:
        """List the tracers of each block; see `device.TracerBlocks`."""
        position, number = self._device.room_of(move)
        if len(self._listed) < len(position):
            self._listed = self._device.empty((len(position),), np.int64)
        where = position, number, move.length, move.first_row, self._height
        threads = -(-len(position) // tracer_kernels.RUN)
        self._starts.fill(0)
        tracer_kernels.count_by_block(threads, *where, self._starts)
        tracer_kernels.add_up(1, self._starts, self._next)
        tracer_kernels.list_by_block(threads, *where, self._next, self._listed)

    def move(self, block: int, move: TracerMove, flow: NDArray) -> None:
        """Move the tracers of a block; see `device.TracerBlocks`."""
        position, _ = self._device.room_of(move)
        # As many threads as there are tracers on average, twice: where more are, they take turns.
        threads = min(len(position), 2 * (len(position) // self._blocks + 1))
        tracer_kernels.move_listed(
            threads, position, self._listed, self._starts, block, flow,
            INTERPOLATIONS[move.interpolation], np.float64(move.time_step), move.length,
            move.first_row + block * self._height - 1,
        )  # fmt: skip
