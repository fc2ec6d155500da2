"""What a device offers to the layers above it, and what all devices do alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Device(ABC):
    """Where the arrays of a rank live and its loops run.  The model never asks which one it has.

    Attributes
    ----------
    name : str
        As in the configuration.
    """

    name: str
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

    # Arrays.

    @abstractmethod
    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Return an array on the device."""

    @abstractmethod
    def zeros(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Return an array of zeros on the device."""

    @abstractmethod
    def asarray(self, host: NDArray) -> NDArray:
        """Return a host array on the device."""

    @abstractmethod
    def to_host(self, array: Any) -> Any:
        """Return an array of the device, or of the host, on the host."""

    def pinned(self, count: int, dtype: DTypeLike) -> NDArray:
        """Return a flat host array that is fast to copy from and to the device."""
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
        self,
        stress: NDArray,
        plastic_strain: NDArray,
        direction: NDArray,
        stress_rate: NDArray,
        source: NDArray,
        seed: int,
        step: int,
        first_site: int,
        forcing: tuple[float, float],
        parameters: tuple[int, float, float, float, float, float],
        begun: NDArray[np.int64] | None = None,
    ) -> Any:
        """Advance a block of rows by one step; see `cpu.site_loops.advance_sites`.

        All arrays have the shape (rows, Ly), but for `begun`, with room for an index of each of
        these sites, in any order.  Returns the number of events that began: an integer, or an array
        of shape () on the device, so that nobody waits for it.
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
