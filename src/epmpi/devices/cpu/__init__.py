"""The CPU: NumPy arrays, line transforms, loops compiled by Numba."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from epmpi.devices.cpu import arithmetic, jumps, thinning
from epmpi.devices.cpu.fourier import costs
from epmpi.devices.cpu.fourier.library_lines import LibraryLines
from epmpi.devices.cpu.fourier.vector_lines import CACHE_LINE, VectorLines
from epmpi.devices.cpu.rows import NO_SITES, CompiledRows
from epmpi.devices.cpu.sites import advance, draws
from epmpi.devices.cpu.tracers import moves
from epmpi.devices.cpu.tracers.row_blocks import TracerBlocks
from epmpi.devices.device import Device
from epmpi.devices.site_update import BatchUpdate, SiteUpdate
from epmpi.devices.tracer_move import TracerMove
from epmpi.host.processor import processor_name
from epmpi.physics.advection import INTERPOLATIONS

BLOCK_BYTES = 1 << 17  # a block of rows stays in the second-level cache with its transforms

_LINES: dict[str, type[LibraryLines]] = {"vector": VectorLines, "numpy": LibraryLines}


class CPU(Device):
    """One core: NumPy arrays, transforms of lines, and compiled loops."""

    name = "cpu"

    def describe(self) -> str:
        """Return the processor's name."""
        return processor_name()

    def arithmetic(self) -> tuple[str, str]:
        """Return the kind of arithmetic, and name and features of the processor."""
        name, features = arithmetic.processor()
        return arithmetic.arithmetic(), f"{name}: {arithmetic.has(features)}"

    def identity(self) -> None:
        """Return None: arrays on the host need no card."""

    def free_bytes(self) -> None:
        """Return None: the system is not asked."""

    # Arrays.

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Return an array that begins on a cache line, of zeros."""
        count = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        memory = np.zeros(count + CACHE_LINE, np.uint8)
        first = -memory.ctypes.data % CACHE_LINE
        return memory[first : first + count].view(dtype).reshape(shape)

    zeros = empty

    def side_by_side(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Return an array (rows, ..., width) in which each lattice is one piece of memory."""
        rows, *lattices, width = shape
        return np.moveaxis(self.empty((*lattices, rows, width), dtype), -2, 0)

    def asarray(self, host: NDArray) -> NDArray:
        """Return a host array on the device."""
        return host

    def to_host(self, array: Any) -> Any:
        """Return an array on the host; here it is the same array, not a copy."""
        return array

    # Transforms of lines.

    def block_rows(self, row_bytes: int) -> int:
        """Return the number of rows to work on at a time."""
        return max(1, BLOCK_BYTES // row_bytes)

    def lines(self, engine: str, shape: tuple[int, int], dtype: DTypeLike) -> LibraryLines:
        """Return the transforms of the lines of a lattice.

        Parameters
        ----------
        engine : str
            "vector", "numpy", or "auto": the first where it has plans for both sides.
        shape : (Lx, Ly)
        dtype : dtype
            float64 or float32, of the fields.

        Raises
        ------
        ValueError
            For another engine, or a lattice that "vector" has no plans for.
        """
        if engine == "auto":
            engine = "vector" if VectorLines.fits(shape, dtype) else "numpy"
        if engine not in _LINES:
            raise ValueError(f"fft is '{engine}', expected 'auto' or one of {', '.join(_LINES)}")
        return _LINES[engine](shape, dtype)

    def faster_shape(
        self, shape: tuple[int, int], dtype: DTypeLike
    ) -> tuple[tuple[int, int], float]:
        """Return the next shape (Lx, Ly) with fast lines, and the factor gained a site."""
        return costs.faster_shape(shape, dtype)

    def row_loops(self, lines: LibraryLines) -> CompiledRows | None:
        """Return whole passes over rows, if the lines are transformed by compiled loops."""
        return CompiledRows(lines) if isinstance(lines, VectorLines) else None

    # The physics, site by site and tracer by tracer.

    def advance_sites(
        self, update: SiteUpdate, begin: int, end: int, stress_rate: NDArray, source: NDArray
    ) -> None:
        """Advance the rows begin ... end of a slab; see `Device.advance_sites`."""
        first_site = update.first_site + begin * update.stress.shape[1]
        began = advance.advance_sites(
            update.stress[begin:end].reshape(-1),
            update.plastic_strain[begin:end].reshape(-1),
            update.active[begin:end].reshape(-1),
            stress_rate.reshape(-1),
            source.reshape(-1),
            np.uint64(update.seed),
            update.step[0],
            np.uint64(first_site),
            update.rule,
            update.increments,
            NO_SITES if update.begun is None else update.begun,
        )
        update.events[0] += began
        update.events[1] = began

    def count_waits(
        self,
        begun: NDArray[np.int64],
        events: NDArray[np.int64],
        first_site: int,
        step: NDArray[np.uint64],
        since: NDArray[np.int64],
        last: NDArray[np.int64],
        edges: NDArray[np.float64],
        number: NDArray[np.int64],
    ) -> None:
        """Count the waits that events end; see `Device.count_waits`."""
        now = int(step[0])
        if now < since[0]:
            return
        sites = first_site + begun[: events[0]]
        before = last[sites]
        waits = now - before[before >= 0]
        np.add.at(number, np.searchsorted(edges, waits) - 1, 1)
        last[sites] = now

    def advance_batch(self, update: BatchUpdate, stress_rate: NDArray, source: NDArray) -> None:
        """Advance the lattices of a batch, one after another; see `Device.advance_batch`."""
        for n in range(len(update.seeds)):
            self.advance_sites(update.lattice(n), 0, len(source), stress_rate[:, n], source[:, n])

    def row_sums(self, stress: NDArray, plastic_strain: NDArray, active: NDArray) -> NDArray:
        """Return the sums of sigma, sigma^2, eps_pl and n over each row, on the host: (rows, 4)."""
        sums = np.empty((len(stress), 4))
        advance.sum_rows(stress, plastic_strain, active, sums)
        return sums

    def draw_uniforms(self, seed: int, stream: int, step: int, first: int, count: int) -> NDArray:
        """Return the uniforms of [0, 1) of `count` consecutive sites, shape (count,), float64."""
        drawn = np.empty(count)
        draws.fill_uniforms(
            drawn, np.uint64(seed), np.uint64(stream), np.uint64(step), np.uint64(first)
        )
        return drawn

    def thinning(self) -> ModuleType:
        """Return the loops of the exact clock."""
        return thinning

    def jumps(self) -> ModuleType:
        """Return the loops of the exact clock for instantaneous events."""
        return jumps

    def outside_rows(
        self, position: NDArray, start: int, stop: int, length: int
    ) -> NDArray[np.int64]:
        """Return which tracers are outside of rows [start, stop); see `Device.outside_rows`."""
        found = np.empty(len(position), np.int64)
        return found[: moves.find_outside(position, start, stop, length, found)]

    def move_tracers(self, move: TracerMove, flow: NDArray) -> None:
        """Move the tracers of a slab along a flow with halo rows; see `moves`."""
        everyone = np.arange(len(move.position))
        moves.move_listed(
            INTERPOLATIONS[move.interpolation], move.position, everyone, 0,
            len(everyone), flow, move.time_step, move.length, move.first_row - 1,
        )  # fmt: skip

    def tracer_blocks(self, rows: int, height: int) -> TracerBlocks:
        """Return the mover of tracers block by block; see `Device.tracer_blocks`."""
        return TracerBlocks(rows, height)

    def move_batch(self, move: TracerMove, flow: NDArray) -> None:
        """Move the tracers of the lattices of a batch, one after another."""
        for n, position in enumerate(move.position):
            self.move_tracers(replace(move, position=position), flow[:, :, n])
