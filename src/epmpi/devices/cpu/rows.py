"""The passes over the rows of a slab: restored rows stay in the first caches while in use."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from epmpi.devices.cpu.fourier.plans import line_width
from epmpi.devices.cpu.fourier.vector_lines import VectorLines
from epmpi.devices.cpu.sites import row_pass
from epmpi.devices.cpu.tracers import flow_pass
from epmpi.devices.site_update import SiteUpdate
from epmpi.devices.tracer_move import TracerMove
from epmpi.physics.advection import INTERPOLATIONS

NO_SITES = np.empty(0, np.int64)
FLOW_BYTES = 1 << 17  # the rows of the flow that are in the second-level cache at a time


class CompiledRows:
    """Passes over rows whose spectra lie in one piece of memory, each in one loop.

    The rows that a pass restores from the spectra are never stored.

    Parameters
    ----------
    lines : VectorLines
        Of the lattice.
    """

    def __init__(self, lines: VectorLines) -> None:
        self._lines = lines
        self._width = lines.shape[1]
        self._lanes = line_width(lines.dtype)
        self._strip = np.empty((self._lanes, self._width), lines.dtype)

    def advance_sites(self, responses: NDArray, sources: NDArray, update: SiteUpdate) -> None:
        """Advance all rows of a slab by one step, W at a time; see `Device.advance_sites`.

        `responses` and `sources` are the spectra of the stress rate and of the new n s, complex,
        shape (rows, Ly // 2 + 1); the second are written, and may be the first.
        """
        began = row_pass.advance_rows(
            responses, sources, self._strip, self._lines.work, self._lines.row_plan, update.stress,
            update.plastic_strain, update.active, np.uint64(update.seed), update.step[0],
            np.uint64(update.first_site), update.rule, update.increments,
            NO_SITES if update.begun is None else update.begun,
        )  # fmt: skip
        update.events[0] += began
        update.events[1] = began

    def transform_increments(
        self, now: NDArray[np.float64], before: NDArray[np.float64], sources: NDArray
    ) -> None:
        """Transform the increment of a field, shape (rows, Ly), W rows at a time.

        `before` is then `now`; `sources`, complex, shape (rows, Ly // 2 + 1), are the spectra.
        """
        row_pass.transform_increments(
            now, before, sources, self._strip, self._lines.work, self._lines.row_plan
        )

    def move_tracers(self, responses: NDArray, halo: int, move: TracerMove) -> None:
        """Move the tracers of a slab along a flow, a few rows at a time; see `Device.move_tracers`.

        `responses` are the spectra of its rows, complex, (rows + halo, fields, Ly // 2 + 1).
        """
        starts = np.empty(len(responses) - halo + 1, np.int64)
        order = np.empty(len(move.position), np.int64)
        flow_pass.order_by_row(move.position, move.length, move.first_row, starts, order)
        fields, lanes, dtype = responses.shape[1], self._lanes, self._lines.dtype
        height = max(1, FLOW_BYTES // (lanes * fields * self._width * dtype.itemsize)) * lanes
        flow = np.empty((fields, height + halo, self._width), dtype)
        flow_pass.move_along_rows(
            responses, flow, self._lines.work, self._lines.row_plan,
            INTERPOLATIONS[move.interpolation], move.position, starts, order, move.time_step,
            move.length, move.first_row,
        )  # fmt: skip
