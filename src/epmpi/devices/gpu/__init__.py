"""A GPU of NVIDIA: arrays of CuPy, line transforms of cuFFT, kernels compiled by Numba.

Nothing here imports CuPy when it is imported: a machine without it has no GPU for us, and Numba's
simulator runs this whole device on NumPy's arrays in the tests.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from epmpi.config import ConfigError
from epmpi.devices.device import Device
from epmpi.devices.gpu import site_kernels, tracer_kernels
from epmpi.devices.gpu.compiler import THREADS
from epmpi.devices.gpu.departures import CardDepartures
from epmpi.devices.gpu.graph_capture import CapturedStep
from epmpi.devices.gpu.lines import STRIP_BYTES, TABULATED, Batch, GPULines, Plan
from epmpi.devices.gpu.row_blocks import TracerBlocks
from epmpi.devices.repeated_step import RepeatedStep
from epmpi.devices.site_update import BatchUpdate, SiteUpdate, Update
from epmpi.devices.tracer_move import TracerMove
from epmpi.physics.advection import INTERPOLATIONS
from epmpi.physics.randomness import BLOCK_SITES, GROUP
from epmpi.physics.rules import Increments, SwitchingRule
from epmpi.physics.switching import draw_limits

EVENT_THREADS = 1 << 14  # that share the events of a step, whose number the host does not know
MOST_HALO = 5  # rows of the flow beyond those of its tracers
CACHE_SHARE = 4  # a block of rows is this part of the second-level cache: rate and source stay


class OutOfMemory(MemoryError):
    """Tell in one line how many bytes were asked of a GPU, and how many it had."""


class GPU(Device):
    """One GPU; work is queued on one stream, in order, but for that of `beside`.

    What only CuPy can do is in `cards.Card`, the GPU that runs use.

    Parameters
    ----------
    arrays : module
        CuPy; or NumPy, where Numba's simulator runs the kernels.
    kind, uuid : str
        Of the card, on which the last bits depend; and its identity, which no other one has.
    total_bytes, cache_bytes : int
        Of its memory, and of its second-level cache.

    Attributes
    ----------
    block_bytes : int
        Size of a field in a block of rows; benchmarks vary it.
    fused_columns : bool
        Whether convolutions take the columns in one kernel, see `fused_columns`: not measured yet.
    """

    name = "gpu"
    batches = True
    fused_columns = False

    def __init__(
        self, arrays: Any, kind: str, uuid: str, total_bytes: int, cache_bytes: int
    ) -> None:
        self._arrays = arrays
        self.kind, self.uuid, self.total_bytes = kind, uuid, total_bytes
        self.block_bytes = cache_bytes // CACHE_SHARE
        self._none = self.empty((0,), np.int64)

    def describe(self) -> str:
        """Return the card's kind and identity."""
        return f"{self.kind}, {self.uuid}"

    def arithmetic(self) -> tuple[str, str]:
        """Return the kind of the card, on which the last bits depend, and its identity."""
        return self.kind, self.describe()

    def identity(self) -> str:
        """Return the UUID of the card, which no other one has."""
        return self.uuid

    # Its memory.

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Return an array on the card.

        Raises
        ------
        OutOfMemory
            If it does not fit.
        """
        return self._allocated(self._arrays.empty, shape, dtype)

    def zeros(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Return an array of zeros on the card; raises as `empty` does."""
        return self._allocated(self._arrays.zeros, shape, dtype)

    def side_by_side(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Return an array (rows, ..., width), contiguous as it is; raises as `empty` does."""
        return self.empty(shape, dtype)

    def asarray(self, host: NDArray) -> NDArray:
        """Return a host array on the card; raises as `empty` does."""
        try:
            return self._arrays.asarray(host)
        except MemoryError:
            raise self._refusal(f"{host.nbytes} bytes") from None

    @abstractmethod
    def fetch_later(self, array: NDArray, host: NDArray) -> None:
        """Begin to copy a flat array of the card to a `pinned` one of the host, without waiting."""

    def _allocated(self, make: Callable, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        try:
            return make(shape, dtype)
        except MemoryError:
            asked = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
            raise self._refusal(f"{asked} bytes") from None

    def _refusal(self, what: str) -> OutOfMemory:
        """Return the error that tells what was asked of the card, and what it has."""
        return OutOfMemory(
            f"{what} asked of {self.kind}, {self.free_bytes()} bytes of {self.total_bytes} are "
            "free: use more GPUs, single precision or a smaller lattice"
        )

    # Its queue.

    @abstractmethod
    def record(self, work: Callable[[], Any]) -> Any:
        """Return a recording of what some work asks of the card, with `launch()`; none is done."""

    @abstractmethod
    def wait(self, mark: Any) -> None:
        """Wait until the card has come to a mark."""

    def repeated_step(self, *, capture: bool) -> RepeatedStep:
        """Return the counter of steps, perhaps with CUDA graphs; see `Device.repeated_step`."""
        number = self.counter(0)
        if not capture:
            return RepeatedStep(number)
        return CapturedStep(number, self.record, self.mark, self.wait)

    def recorded(self, work: Callable[[], Any]) -> Callable[[], Any]:
        """Return a function that launches a recording of some work; see `Device.recorded`."""
        launch: Callable[[], None] = self.record(work).launch
        return launch

    # Transforms of lines.

    def block_rows(self, row_bytes: int) -> int:
        """Return how many rows to work on at a time."""
        return max(1, self.block_bytes // row_bytes)

    def work_bytes(
        self, shape: tuple[int, int], rows: int, responses: int, modes: int, real: int
    ) -> int:
        """Return the most that plans of cuFFT take: as much each as what they transform at once.

        Of columns: a strip of the source and one of the responses, and what is left over; of rows:
        a block there and back, one of the flow with its halo, and what is left over of each.  CuPy
        keeps what working out the propagators took.
        """
        length, width = shape
        height = min(self.block_rows(width * real), rows)
        block = height * width * real
        flow = min(STRIP_BYTES, (height + MOST_HALO) * width * real)
        column = 2 * real * length
        strip = min(modes, max(1, STRIP_BYTES // (column * responses)))
        left = modes % strip
        kept = 2 * 8 * min(TABULATED, (length // 2 + 1) * modes)
        return (
            kept
            + (1 + responses) * (strip + left) * column
            + 4 * block
            + 2 * flow * (responses > 1)
        )

    def transform_work(self, field: int) -> int:
        """Return the bytes of cuFFT's plans for rows forward, rows back and columns of a field."""
        return 3 * min(STRIP_BYTES, field)

    def lines(self, engine: str, shape: tuple[int, int], dtype: DTypeLike) -> GPULines:
        """Return the transforms of the lines of a lattice (Lx, Ly); the engine is "auto".

        Raises
        ------
        ConfigError
            For an engine of the CPU.
        """
        if engine != "auto":
            raise ConfigError(
                f'run.fft = "{engine}": expected "auto" (cuFFT) on a GPU, or set run.device = "cpu"'
            )
        fused = self.fused_kernel(shape[0], dtype) if self.fused_columns else None
        return GPULines(shape, dtype, self, fused)

    @abstractmethod
    def make_plan(self, batch: Batch, dtype: np.dtype) -> Plan:
        """Return a plan; dtype float64 or float32, of the fields.  MemoryError: it has no room."""

    @abstractmethod
    def fused_kernel(self, length: int, dtype: DTypeLike) -> Any:
        """Return the kernel of whole columns, compiled for this card; see `fused_columns`."""

    def plan(self, batch: Batch, dtype: np.dtype) -> Plan:
        """Return a plan as `make_plan` does; raises as `empty` does."""
        try:
            return self.make_plan(batch, dtype)
        except MemoryError:
            points = batch.lines * batch.length
            raise self._refusal(f"the work area of cuFFT for {points} points") from None

    # The physics, site by site and tracer by tracer.

    def advance_sites(
        self, update: SiteUpdate, begin: int, end: int, stress_rate: NDArray, source: NDArray
    ) -> None:
        """Advance the rows begin ... end of a slab; see `Device.advance_sites`."""
        first_site = update.first_site + begin * update.stress.shape[1]
        groups = -(-(first_site % GROUP + source.size) // GROUP)
        if update.begun is not None:
            update.events[1:].fill(0)
        site_kernels.advance_sites(
            groups * GROUP // BLOCK_SITES,
            update.stress[begin:end].reshape(-1),
            update.plastic_strain[begin:end].reshape(-1),
            update.active[begin:end].reshape(-1),
            stress_rate.reshape(-1),
            source.reshape(-1),
            np.uint64(update.seed),
            update.step,
            np.uint64(first_site),
            *_rule(update),
            self._none if update.begun is None else update.begun,
            update.events,
        )

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
        threads = min(begun.size, EVENT_THREADS)
        site_kernels.count_waits(
            threads, begun, events, first_site, step, since, last, edges, number
        )

    def advance_batch(self, update: BatchUpdate, stress_rate: NDArray, source: NDArray) -> None:
        """Advance the lattices of a batch, in one launch; see `Device.advance_batch`."""
        length, lattices, width = source.shape
        groups = -(-length * width // GROUP)
        if update.begun is not None:
            update.events[:, 1].fill(0)
        site_kernels.advance_batch(
            lattices * groups * GROUP // BLOCK_SITES,
            update.stress,
            update.plastic_strain,
            update.active,
            stress_rate,
            source,
            update.seeds,
            update.step,
            *_rule(update),
            self._none.reshape(1, 0) if update.begun is None else update.begun,
            update.events,
        )

    def row_sums(self, stress: NDArray, plastic_strain: NDArray, active: NDArray) -> NDArray:
        """Return the sums of sigma, sigma^2, eps_pl and n over each row, on the host: (rows, 4)."""
        sums = self.empty((len(stress), site_kernels.SUMS), np.float64)
        site_kernels.sum_rows(len(stress) * THREADS, stress, plastic_strain, active, sums)
        return self.to_host(sums)

    def draw_uniforms(self, seed: int, stream: int, step: int, first: int, count: int) -> NDArray:
        """Return the uniforms of [0, 1) of `count` consecutive sites, on the host: (count,)."""
        drawn = self.empty((count,), np.float64)
        numbers = np.uint64(seed), np.uint64(stream), np.uint64(step), np.uint64(first)
        site_kernels.fill_uniforms(count, drawn, *numbers)
        return self.to_host(drawn)

    def move_tracers(self, move: TracerMove, flow: NDArray) -> None:
        """Move the tracers of a slab along a flow with halo rows; see `tracer_kernels`."""
        position, number = self.room_of(move)
        tracer_kernels.move_all(
            len(position), position, number, flow, INTERPOLATIONS[move.interpolation],
            np.float64(move.time_step), move.length, move.first_row - 1,
        )  # fmt: skip

    def departures(self, start: int, stop: int, length: int, most: int) -> CardDepartures:
        """Return the finder of tracers that leave a slab, which does not wait for the card."""
        return CardDepartures(self, start, stop, length, most)

    def tracer_blocks(self, rows: int, height: int) -> TracerBlocks:
        """Return the mover of tracers block by block; see `Device.tracer_blocks`."""
        return TracerBlocks(self, rows, height)

    def room_of(self, move: TracerMove) -> tuple[NDArray, NDArray[np.int64]]:
        """Return an array that begins with the tracers, and how many they are, on the card."""
        return move.room or (move.position, self.asarray(np.array([len(move.position)])))

    def move_batch(self, move: TracerMove, flow: NDArray) -> None:
        """Move the tracers of the lattices of a batch, in one launch."""
        threads = move.position.shape[0] * move.position.shape[1]
        tracer_kernels.move_batch(
            threads, move.position, flow, INTERPOLATIONS[move.interpolation],
            np.float64(move.time_step), move.length,
        )  # fmt: skip


def _rule(update: Update) -> tuple[Any, SwitchingRule, Increments]:
    """Return limits of draws, rule and increments, of 64 bits in the simulator too."""
    rule, increments = update.rule, update.increments
    return (
        tuple(map(int, draw_limits(rule, increments.time))),
        SwitchingRule._make(np.float64(x) if isinstance(x, float) else x for x in rule),
        Increments._make(map(np.float64, increments)),
    )
