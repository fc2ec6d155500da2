"""Tracers listed by the row that they are on, so that blocks of rows move their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from epmpi.devices.cpu.tracers import flow_pass, moves
from epmpi.devices.tracer_move import TracerMove
from epmpi.physics.advection import INTERPOLATIONS


class TracerBlocks:
    """Lists the tracers of a slab by its rows, and moves them block by block.

    Parameters and methods as of `device.TracerBlocks`.
    """

    def __init__(self, rows: int, height: int) -> None:
        self._height = height
        self._starts = np.zeros(rows + 1, np.int64)
        self._listed = np.zeros(0, np.int64)

    def sort(self, move: TracerMove) -> None:
        """List the tracers of each row; see `device.TracerBlocks`."""
        if len(self._listed) != len(move.position):
            self._listed = np.empty(len(move.position), np.int64)
        flow_pass.order_by_row(
            move.position, move.length, move.first_row, self._starts, self._listed
        )

    def move(self, block: int, move: TracerMove, flow: NDArray) -> None:
        """Move the tracers of a block; see `device.TracerBlocks`."""
        begin = block * self._height
        end = min(begin + self._height, len(self._starts) - 1)
        moves.move_listed(
            INTERPOLATIONS[move.interpolation], move.position, self._listed, self._starts[begin],
            self._starts[end], flow, move.time_step, move.length, move.first_row + begin - 1,
        )  # fmt: skip
