"""The memory of a GPU: its arrays, their copies on the host, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from epmpi.devices.arrays import Arrays


class OutOfMemory(MemoryError):
    """Tell in one line how many bytes were asked of a GPU, and how many it had."""


class CardMemory(Arrays):
    """The arrays of one GPU.

    Parameters
    ----------
    arrays : module
        CuPy; or NumPy, where Numba's simulator runs the kernels.
    card : cards.Card
    """

    def __init__(self, arrays: Any, card: Any) -> None:
        self._arrays = arrays
        self._card = card

    def free_bytes(self) -> int:
        """Return the free memory of the card."""
        return int(self._card.free_bytes())

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
            raise self.refusal(f"{host.nbytes} bytes") from None

    def to_host(self, array: Any) -> Any:
        """Return an array of the card on the host, when all that it depends on is done."""
        return self._card.to_host(array)

    def pinned(self, count: int, dtype: DTypeLike) -> NDArray:
        """Return a flat host array that stays where it is, for fast copies."""
        return self._card.pinned(count, dtype)

    def fetch(self, array: NDArray, host: NDArray) -> None:
        """Copy a flat array of the card to the host, and wait until it is there."""
        self._card.fetch(array, host)

    def fetch_later(self, array: NDArray, host: NDArray) -> None:
        """Begin to copy a flat array of the card to a `pinned` one of the host, without waiting."""
        self._card.fetch_later(array, host)

    def store(self, host: NDArray, array: NDArray) -> None:
        """Copy a flat host array to the card, and wait until it may be changed again."""
        self._card.store(host, array)

    def _allocated(self, make: Callable, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        try:
            return make(shape, dtype)
        except MemoryError:
            asked = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
            raise self.refusal(f"{asked} bytes") from None

    def refusal(self, what: str) -> OutOfMemory:
        """Return the error that tells what was asked of the card, and what it has."""
        return OutOfMemory(
            f"{what} asked of {self._card.name}, {self.free_bytes()} bytes of "
            f"{self._card.total_bytes} are free: use more GPUs, single precision or a smaller "
            "lattice"
        )
