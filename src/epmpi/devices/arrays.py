"""The arrays of a device: making, copying, and operations that are the same on all devices."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Arrays(ABC):
    """The arrays of a rank and the operations on them."""

    _arrays: Any = np  # the module whose functions take the arrays of this device

    @abstractmethod
    def free_bytes(self) -> int | None:
        """Return the bytes that arrays can still take; None if unknown."""

    @abstractmethod
    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Return an array on the device."""

    @abstractmethod
    def zeros(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Return an array of zeros on the device."""

    @abstractmethod
    def side_by_side(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Return an array (rows, ..., width) of lattices side by side, for `advance_batch`."""

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

    def is_finite(self, array: NDArray) -> bool:
        """Tell whether every number of a float array is finite."""
        return bool(self._arrays.isfinite(array).all())

    def outside_rows(
        self, position: NDArray, start: int, stop: int, length: int
    ) -> NDArray[np.int64]:
        """Return, on the host, the indices of tracers that are not on rows [start, stop).

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
        self, array: NDArray, number: int, leaving: NDArray[np.int64], arriving: NDArray
    ) -> NDArray:
        """Replace rows of an array by others; the last rows fill places that stay empty.

        Parameters
        ----------
        array : array, shape (room, ...)
            Of the device; changed.
        number : int
            Number of its rows in use, the first ones.
        leaving : int64 array
            Indices of rows in use, in order, on the host.
        arriving : array
            Rows, on the host.

        Returns
        -------
        array, shape (room, ...)
            Its first number - leaving + arriving rows are in use.  The same array if it had room.
        """
        end = number - len(leaving) + len(arriving)
        if end > len(array):
            larger = self.empty((end + end // 8, *array.shape[1:]), array.dtype)
            larger[:number] = array[:number]
            array = larger
        taken = np.concatenate([leaving[: len(arriving)], np.arange(number, end)])
        array[self.asarray(taken)] = self.asarray(np.ascontiguousarray(arriving))
        gaps = leaving[len(arriving) :]
        last = np.setdiff1d(np.arange(end, number), gaps)
        array[self.asarray(gaps[: len(last)])] = array[self.asarray(last)]
        return array

    def order_by_site(self, position: NDArray, shape: tuple[int, int]) -> NDArray[np.int64]:
        """Return, on the device, the order of tracers (n, 2) by the site that they are at."""
        site = self._arrays.floor(position).astype(np.int64)
        flat = (site[:, 0] % shape[0]) * shape[1] + site[:, 1] % shape[1]
        return self._arrays.argsort(flat, kind="stable")
