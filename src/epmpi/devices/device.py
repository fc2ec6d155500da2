"""Interface of a device to the layers above it."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from epmpi.devices.arrays import Arrays
from epmpi.devices.departures import Departures
from epmpi.devices.repeated_step import RepeatedStep
from epmpi.devices.site_update import BatchUpdate, SiteUpdate
from epmpi.devices.tracer_move import TracerMove


class TracerBlocks(Protocol):
    """Moves the tracers of a slab block by block of its rows, so that no flow need be stored.

    What it does is a part of a step that may be recorded.
    """

    def sort(self, move: TracerMove) -> None:
        """List the tracers by the block that they are on before the move."""
        ...

    def move(self, block: int, move: TracerMove, flow: NDArray) -> None:
        """Move the tracers of a block.

        Parameters
        ----------
        block : int
        move : TracerMove
            Of the whole slab.
        flow : float array, shape (fields, height + halo, Ly)
            As of `Device.move_tracers`, for the rows of the block.
        """
        ...


class Device(Arrays):
    """The place of the arrays and loops of a rank.  The model does not depend on its kind.

    Attributes
    ----------
    name : str
        As in the configuration.
    """

    name: str
    batches = False  # whether small lattices are best advanced as one batch

    @abstractmethod
    def describe(self) -> str:
        """Return a description of the device."""

    def arithmetic(self) -> tuple[str, str]:
        """Return the arithmetic that the last bits of a run depend on, and a full description."""
        return self.describe(), self.describe()

    @abstractmethod
    def identity(self) -> str | None:
        """Return an identity of this GPU, which no other one has; None for a CPU."""

    def synchronize(self) -> None:
        """Wait until all queued work is done; nothing to wait for without a queue."""

    def repeated_step(self, *, capture: bool) -> RepeatedStep:
        """Return the counter of the steps of a model; `capture`: whether they may be captured."""
        return RepeatedStep(self.counter(0))

    def aside(self, work: Callable[[], None]) -> None:
        """Do work of the host in the middle of a step: now, or whenever the step is replayed."""
        work()

    def beside(self, work: Callable[[], None]) -> Any:
        """Do work of a library in a second queue, after all work queued so far.

        Return a token for `after`.
        """
        work()
        return None

    def after(self, token: Any) -> None:
        """Let all later work wait for work of `beside`; nothing for None."""

    def recorded(self, work: Callable[[], Any]) -> Callable[[], Any]:
        """Return a function that repeats some work, as a captured step is repeated."""
        return work

    def mark(self) -> Any:
        """Return a mark in the device's queue, for `seconds` and, on a GPU, for `wait`."""
        return time.perf_counter()

    def seconds(self, first: Any, last: Any) -> float:
        """Return the time from one mark to a later one; waits for it."""
        return float(last - first)

    # Libraries that a GPU may have.

    def has_nccl(self) -> bool:
        """Tell whether arrays can travel between devices by NCCL."""
        return False

    # Transforms of lines.

    @abstractmethod
    def block_rows(self, row_bytes: int) -> int:
        """Return the number of rows to work on at a time."""

    def work_bytes(
        self, shape: tuple[int, int], rows: int, responses: int, modes: int, real: int
    ) -> int:
        """Return the largest bytes of the work areas of a convolution's transforms.

        Parameters
        ----------
        shape : (Lx, Ly)
        rows, responses, modes : int
            Of this rank.
        real : int
            Bytes of a number of a field.
        """
        return 0

    def transform_work(self, field: int) -> int:
        """Return the most that transforms of a field of so many bytes take beside it."""
        return 0

    @abstractmethod
    def lines(self, engine: str, shape: tuple[int, int], dtype: DTypeLike) -> Any:
        """Return the transforms of the lines of a lattice (Lx, Ly); engine as in `run.fft`."""

    def faster_shape(
        self, shape: tuple[int, int], dtype: DTypeLike
    ) -> tuple[tuple[int, int], float]:
        """Return the next shape (Lx, Ly) with fast lines, and the factor gained a site.

        The same shape and 1 where nothing is known.
        """
        return shape, 1.0

    def row_loops(self, lines: Any) -> Any:
        """Return compiled passes over rows with these `lines`, as of `cpu.rows`; None for none."""
        return None

    # The physics, site by site and tracer by tracer.

    @abstractmethod
    def advance_sites(
        self, update: SiteUpdate, begin: int, end: int, stress_rate: NDArray, source: NDArray
    ) -> None:
        """Advance the rows begin ... end of a slab by one step.

        Parameters
        ----------
        update : SiteUpdate
        begin, end : int
        stress_rate : float array, shape (end - begin, Ly)
            2 mu G * d(eps_pl)/dt, for n s before the step.
        source : float array, shape (end - begin, Ly)
            Receives n s after it.
        """

    def thinning(self) -> ModuleType:
        """Return the loops of the exact clock, functions over records; see `cpu.thinning`.

        Raises
        ------
        NotImplementedError
            Where there are none.
        """
        raise NotImplementedError('the exact clock needs run.device = "cpu"')

    def jumps(self) -> ModuleType:
        """Return those of instantaneous events; see `cpu.jumps`.  Raises as `thinning` does."""
        raise NotImplementedError('the exact clock needs run.device = "cpu"')

    @abstractmethod
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
        """Count the waits that events end, in bins of whole steps.

        Parameters
        ----------
        begun, step
            Of `SiteUpdate`.
        events : int64 array, shape (1,)
            Number of indices in `begun`.
        first_site : int
            Added to an index in `begun` to get one in `last`.
        since : int64 array, shape (1,)
            Step of the first event that counts.
        last : int64 array, shape (sites,)
            Step of the last event of each site, below 0 for none; updated.
        edges : float64 array, shape (bins + 1,)
            Of the bins, in steps; no whole number.
        number : int64 array, shape (bins,)
            Updated.
        """

    @abstractmethod
    def advance_batch(self, update: BatchUpdate, stress_rate: NDArray, source: NDArray) -> None:
        """Advance whole lattices by one step, each with a seed of its own.

        `stress_rate` and `source` are those of `advance_sites`, (Lx, lattices, Ly).
        """

    @abstractmethod
    def row_sums(self, stress: NDArray, plastic_strain: NDArray, active: NDArray) -> NDArray:
        """Return the sums of sigma, sigma^2, eps_pl and n over each row, on the host: (rows, 4)."""

    @abstractmethod
    def draw_uniforms(self, seed: int, stream: int, step: int, first: int, count: int) -> NDArray:
        """Return the uniforms of [0, 1) of `count` consecutive sites, on the host: (count,)."""

    @abstractmethod
    def move_tracers(self, move: TracerMove, flow: NDArray) -> None:
        """Move the tracers of a slab along a flow.

        Parameters
        ----------
        move : TracerMove
        flow : float array, shape (fields, rows + halo, Ly)
            Velocity components, or B-spline coefficients of the stream function, from a row before
            the first that an interpolation in the slab reads; see `epmpi.physics.advection`.
        """

    @abstractmethod
    def tracer_blocks(self, rows: int, height: int) -> TracerBlocks:
        """Return the mover of the tracers of a slab of so many rows, `height` rows at a time."""

    def departures(self, start: int, stop: int, length: int, most: int) -> Departures:
        """Return the finder of tracers, at most so many, that are not on rows [start, stop)."""
        return Departures(self, start, stop, length, most)

    @abstractmethod
    def move_batch(self, move: TracerMove, flow: NDArray) -> None:
        """Move the tracers (lattices, n, 2) of a batch along flows (fields, rows, lattices, Ly)."""
