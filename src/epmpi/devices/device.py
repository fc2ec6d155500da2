"""What a device offers to the layers above it, and what all devices do alike."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from epmpi.devices.site_update import BatchUpdate, SiteUpdate


class Device(ABC):
    """Where the arrays of a rank live and its loops run.  The model never asks which one it has.

    Attributes
    ----------
    name : str
        As in the configuration.
    """

    name: str
    batches = False  # whether small lattices are best advanced as one batch
    _arrays: Any = np  # the module whose functions take the arrays of this device

    @abstractmethod
    def describe(self) -> str:
        """Return what the device is, for people."""

    @abstractmethod
    def identity(self) -> str | None:
        """Return what tells this GPU from all others; None for a CPU."""

    @abstractmethod
    def free_bytes(self) -> int | None:
        """Return the memory that arrays can still have; None where the system is not asked."""

    def synchronize(self) -> None:  # noqa: B027  (a device without a queue has nothing to wait for)
        """Wait until all that was asked of the device is done."""

    def repeater(self) -> Callable[[Hashable, Callable[[], None]], None]:
        """Return a function (key, work) that does work, which is the same each time for a key.

        A device with a queue may record what the work asks of it, and ask for the record later on
        without calling `work`.  So all that differs from one time to the next must be in arrays of
        the device, and the work may neither allocate arrays nor wait for the device.
        """
        return lambda key, work: work()

    def mark(self) -> Any:
        """Return a mark in the device's queue, for `seconds`."""
        return time.perf_counter()

    def seconds(self, first: Any, last: Any) -> float:
        """Return the time from one mark to a later one; waits for it."""
        return float(last - first)

    # Arrays.

    @abstractmethod
    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Return an array on the device."""

    @abstractmethod
    def zeros(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Return an array of zeros on the device."""

    @abstractmethod
    def side_by_side(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Return an array (rows, ..., width) of lattices side by side, as `advance_batch` wants."""

    @abstractmethod
    def asarray(self, host: NDArray) -> NDArray:
        """Return a host array on the device."""

    @abstractmethod
    def to_host(self, array: Any) -> Any:
        """Return an array of the device, or of the host, on the host."""

    def counter(self, value: int) -> NDArray[np.uint64]:
        """Return a number that the device counts on, shape (1,)."""
        return self.asarray(np.array([value], np.uint64))

    def subtract(self, array: NDArray, other: NDArray, difference: NDArray) -> None:
        """Write the difference of two arrays, rounded once, into a third of the same shape.

        It may be of lower precision.
        """
        self._arrays.subtract(array, other, out=difference, casting="same_kind")

    def pinned(self, count: int, dtype: DTypeLike) -> NDArray:
        """Return a host array, shape (count,), that is fast to copy from and to the device."""
        return np.empty(count, dtype)

    def fetch(self, array: NDArray, host: NDArray) -> None:
        """Copy a flat array of the device to the host, and wait until it is there."""
        host[:] = self.to_host(array)

    def store(self, host: NDArray, array: NDArray) -> None:
        """Copy a flat host array to the device, and wait until it may be changed again."""
        array[:] = self.asarray(host)

    def has_nccl(self) -> bool:
        """Tell whether arrays can travel between devices by NCCL."""
        return False

    def missing_for_cufftmp(self) -> str:
        """Return why this device cannot transform by cuFFTMp, or an empty text."""
        return 'it needs a GPU: set run.device = "gpu"'

    def cufftmp(
        self, shape: tuple[int, int], rows: int, modes: int, dtype: np.dtype, mpi: Any
    ) -> Any:
        """Return whole transforms by cuFFTMp.  Collective; see `gpu.cufftmp.CufftMp`.

        Raises
        ------
        NotImplementedError
            Where `missing_for_cufftmp` says why.
        """
        raise NotImplementedError(self.missing_for_cufftmp())

    def is_finite(self, array: NDArray) -> bool:
        """Tell whether every number of a float array is finite."""
        return bool(self._arrays.isfinite(array).all())

    def outside_rows(
        self, position: NDArray, start: int, stop: int, length: int
    ) -> NDArray[np.int64]:
        """Return, on the host, which tracers are not on rows [start, stop).

        Parameters
        ----------
        position : float64 array, shape (tracers, 2)
            Unwrapped, on the device.
        length : int
            Lx.
        """
        row = self._arrays.floor(position[:, 0]).astype(np.int64) % length
        found: NDArray[np.int64] = self.to_host(
            self._arrays.flatnonzero((row < start) | (row >= stop))
        )
        return found

    def replace_rows(
        self, array: NDArray, leaving: NDArray[np.int64], arriving: NDArray
    ) -> NDArray:
        """Return an array of the device without some of its rows, and with others at its end.

        Parameters
        ----------
        array : array, shape (rows, ...)
        leaving : int64 array
            Indices, on the host.
        arriving : array
            Rows, on the host.
        """
        stay = np.ones(len(array), bool)
        stay[leaving] = False
        kept = array[self.asarray(np.flatnonzero(stay))]
        return self._arrays.concatenate([kept, self.asarray(np.ascontiguousarray(arriving))])

    def order_by_site(self, position: NDArray, shape: tuple[int, int]) -> NDArray[np.int64]:
        """Return, on the device, the order of tracers (n, 2) by the site that they are at."""
        site = self._arrays.floor(position).astype(np.int64)
        flat = (site[:, 0] % shape[0]) * shape[1] + site[:, 1] % shape[1]
        return self._arrays.argsort(flat, kind="stable")

    # Transforms of lines.

    @abstractmethod
    def block_rows(self, row_bytes: int) -> int:
        """Return how many rows to work on at a time."""

    @abstractmethod
    def lines(self, engine: str, shape: tuple[int, int], dtype: DTypeLike) -> Any:
        """Return the transforms of the lines of a lattice (Lx, Ly); engine as in `run.fft`."""

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
            2 mu G * d(eps_pl)/dt, for the directions before the step.
        source : float array, shape (end - begin, Ly)
            Receives the directions after it.
        """

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
            How many of `begun` there are.
        first_site : int
            What is added to an index in `begun` to get one in `last`.
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
    def row_sums(self, stress: NDArray, plastic_strain: NDArray, direction: NDArray) -> NDArray:
        """Return the sums of sigma, sigma^2, eps_pl and n over each row, on the host: (rows, 4)."""

    @abstractmethod
    def draw_uniforms(self, seed: int, stream: int, step: int, first: int, count: int) -> NDArray:
        """Return the uniforms of [0, 1) of `count` consecutive sites, on the host: (count,)."""

    @abstractmethod
    def move_tracers(
        self,
        interpolation: str,
        position: NDArray,
        flow: NDArray,
        time_step: float,
        length: int,
        first_row: int,
    ) -> None:
        """Move tracers (n, 2) along a flow with halo rows; see `cpu.tracer_loops`."""

    @abstractmethod
    def move_batch(
        self, interpolation: str, position: NDArray, flow: NDArray, time_step: float, length: int
    ) -> None:
        """Move the tracers (lattices, n, 2) of a batch along flows (fields, rows, lattices, Ly)."""
