"""The ranks that share one run, and their collective operations."""

from __future__ import annotations

import os
import platform
import sys
import time
import traceback
from copy import copy
from typing import TYPE_CHECKING, Any, TextIO, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from epmpi.host.console import Forgiving, say
from epmpi.parallel.mpi_library import load

if TYPE_CHECKING:
    from mpi4py import MPI

LAST_WORDS = 0.5  # seconds for a launcher to pass on the output before an abort


class Communicator:
    """The ranks that share one run.  One rank alone needs no MPI library.

    Parameters
    ----------
    mpi : mpi4py.MPI.Comm or None
        ``Communicator.world()`` wraps COMM_WORLD.  None: this process alone.
    """

    def __init__(self, mpi: MPI.Comm | None = None) -> None:
        self.mpi: Any = mpi
        self.rank: int = 0 if mpi is None else mpi.rank
        self.size: int = 1 if mpi is None else mpi.size

    @classmethod
    def world(cls) -> Communicator:
        """Return the communicator of all ranks that were launched together.

        Without an MPI library it is this process alone.
        """
        library, _ = load()
        return cls(library and library.COMM_WORLD)

    @property
    def is_root(self) -> bool:
        """True on the rank that writes and prints."""
        return self.rank == 0

    def split(self, group: int) -> Communicator:
        """Return the communicator of the ranks that name the same group.  Collective."""
        if self.mpi is None:
            return Communicator()
        return Communicator(self.mpi.Split(group, self.rank))

    def duplicate(self) -> Communicator:
        """Return a communicator of the same ranks with separate messages.  Collective."""
        return Communicator(None if self.mpi is None else self.mpi.Dup())

    def rank_on_node(self) -> int:
        """Return the number of this rank among those on its node.  Collective."""
        if self.size == 1:
            return 0
        node = self.mpi.Split_type(load()[0].COMM_TYPE_SHARED)
        rank: int = node.rank
        node.Free()
        return rank

    def barrier(self) -> None:
        """Wait for all ranks.  Collective."""
        if self.size > 1:
            self.mpi.Barrier()

    def broadcast(self, value: Any) -> Any:
        """Return the root's value on all ranks.  Collective."""
        return value if self.size == 1 else self.mpi.bcast(value, root=0)

    def sum(self, value: Any) -> Any:
        """Return the sum of a number or array over the ranks, exact for integers.  Collective."""
        return copy(value) if self.size == 1 else self._reduced(value, load()[0].SUM)

    def any(self, condition: bool) -> bool:
        """Return whether a condition holds on some rank.  Collective; fast enough for each step."""
        return condition if self.size == 1 else bool(self._reduced(condition, load()[0].LOR))

    def max(self, value: Any) -> Any:
        """Return the largest number over the ranks.  Collective."""
        return copy(value) if self.size == 1 else self._reduced(value, load()[0].MAX)

    def _reduced(self, value: Any, operation: MPI.Op) -> Any:
        """Return a number or array reduced over the ranks.

        Not by `mpi.allreduce`, which may wait for the others with Python's lock held, so that no
        thread could end this rank (`epmpi.run.watchdog`, `epmpi.run.insistence`).
        """
        reduced = np.array(int(value) if isinstance(value, bool) else value)
        self.mpi.Allreduce(load()[0].IN_PLACE, reduced, op=operation)
        return reduced if isinstance(value, np.ndarray) else reduced.item()

    def gather(self, value: Any) -> list[Any] | None:
        """Return the list of all ranks' values on the root, None elsewhere.  Collective."""
        return [value] if self.size == 1 else self.mpi.gather(value, root=0)

    def gather_all(self, value: Any) -> list[Any]:
        """Return the list of all ranks' values on all ranks.  Collective."""
        return [value] if self.size == 1 else self.mpi.allgather(value)

    def gather_rows(self, rows: NDArray) -> NDArray | None:
        """Join the ranks' arrays along axis 0 on the root; None elsewhere.  Collective.

        On one rank it is the same array, not a copy.

        Parameters
        ----------
        rows : array, shape (rows of this rank, ...)
            dtype and shape[1:] are the same on all ranks.
        """
        if self.size == 1:
            return rows
        rows = np.ascontiguousarray(rows)
        counts = self.mpi.gather(len(rows), root=0)
        if counts is None:
            self.mpi.Gatherv(_as_bytes(rows), None, root=0)
            return None
        joined = np.empty((sum(counts), *rows.shape[1:]), rows.dtype)
        self.mpi.Gatherv(_as_bytes(rows), _of_ranks(joined, counts), root=0)
        return joined

    def exchange(
        self,
        send: NDArray,
        send_parts: list[tuple[int, int]],
        receive: NDArray,
        receive_parts: list[tuple[int, int]],
    ) -> None:
        """Send part p of a flat array to rank p, and receive from all.  Collective.

        Parameters
        ----------
        send, receive : arrays of one dtype, shape (elements,)
            On one rank they may be the same array: nothing moves then.
        send_parts, receive_parts : list of (start, count)
            In elements, for each rank.  Parts of `send` may overlap (halo rows go to two ranks).
        """
        if self.size == 1:
            if send is not receive:
                [(first, count)], [(start, _)] = send_parts, receive_parts
                receive[start : start + count] = send[first : first + count]
            return
        self.mpi.Alltoallv(_described(send, send_parts), _described(receive, receive_parts))

    def begin_exchange(
        self,
        send: NDArray,
        send_parts: list[tuple[int, int]],
        receive: NDArray,
        receive_parts: list[tuple[int, int]],
    ) -> MPI.Request:
        """Begin an `exchange`, which ends when the returned request has been waited for.

        Collective: all ranks begin their exchanges in the same order.
        """
        return self.mpi.Ialltoallv(_described(send, send_parts), _described(receive, receive_parts))

    def gather_everywhere(self, records: NDArray) -> NDArray:
        """Join the ranks' arrays of records along axis 0 on all ranks, by rank.  Collective.

        Parameters
        ----------
        records : array, shape (n,)
        """
        if self.size == 1:
            return records.copy()
        counts = self.mpi.allgather(len(records))
        joined = np.empty(sum(counts), records.dtype)
        self.mpi.Allgatherv(_as_bytes(records), _of_ranks(joined, counts))
        return joined

    def route(self, records: NDArray, destination: NDArray[np.integer]) -> NDArray:
        """Send each record to its rank and return those received, by sender.  Collective.

        Parameters
        ----------
        records : array, shape (n, ...)
            dtype and shape[1:] are the same on all ranks.
        destination : int array, shape (n,)
            Rank of each record.

        Returns
        -------
        array, shape (received, ...)
            In the order of the senders, and in the order of each sender.
        """
        if self.size == 1:
            return records
        order = np.argsort(destination, kind="stable")
        outgoing = np.ascontiguousarray(records[order])
        counts = np.bincount(destination, minlength=self.size)
        arriving = np.empty_like(counts)
        self.mpi.Alltoall(counts, arriving)
        received = np.empty((int(arriving.sum()), *records.shape[1:]), records.dtype)
        self.mpi.Alltoallv(_of_ranks(outgoing, counts), _of_ranks(received, arriving))
        return received

    def raise_alike(self, error: Exception | None) -> None:
        """Raise on every rank the error of the lowest rank that has one.  Collective.

        Parameters
        ----------
        error : Exception or None
            Error of this rank.
        """
        for found in self.gather_all(error):
            if found is not None:
                raise found

    def raise_named(self, error: Exception | None, everywhere: str = "") -> None:
        """Raise on every rank an error of some, with number and host of one of them.  Collective.

        For actions of each rank, such as opening a file.

        Parameters
        ----------
        error : Exception or None
            Error of this rank; its class takes one text.
        everywhere : str
            Remedy, added to an error of all ranks.
        """
        failed = self.gather_all(error and (error, platform.node()))
        for rank, found in enumerate(failed):
            if found is None:
                continue
            first, host = found
            if all(failed):
                raise type(first)(f"{first}{everywhere}") from error
            number = sum(item is not None for item in failed)
            raise type(first)(
                f"rank {rank} of {self.size}, on {host}: {first}; so it is on {number} of "
                f"{self.size} ranks: all need a file system that their nodes share"
            ) from error

    def come_together(self, seconds: float) -> bool:
        """Tell whether all ranks call this too, within `seconds`.

        A rank that has failed calls it before it ends: the others may be waiting for it elsewhere.
        Only for a `duplicate` that is used for nothing else.
        """
        if self.size == 1:
            return True
        request = self.mpi.Ibarrier()
        end = time.monotonic() + seconds
        while not request.Test():
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def abort(self, code: int = 1) -> None:
        """End all ranks now."""
        for stream in (sys.stdout, sys.stderr):
            Forgiving(stream).flush()
        if self.mpi is None:
            os._exit(code)
        time.sleep(LAST_WORDS)
        self.mpi.Abort(code)


def _described(array: NDArray, parts: list[tuple[int, int]]) -> list[Any]:
    """Return a flat array and its (start, count) of each rank in the form of MPI."""
    counts, starts = [count for _, count in parts], [start for start, _ in parts]
    return [array, counts, starts, load()[0]._typedict[array.dtype.char]]


def _of_ranks(rows: NDArray, counts: ArrayLike) -> list[Any]:
    """Return rows as bytes, and how many of each rank, in the form of MPI."""
    row_bytes = rows.dtype.itemsize * int(np.prod(rows.shape[1:], dtype=np.int64))
    return [_as_bytes(rows), np.asarray(counts) * row_bytes, load()[0].BYTE]


def _as_bytes(array: NDArray) -> NDArray[np.uint8]:
    return array.reshape(-1).view(np.uint8)


def is_of_mpi(error: BaseException) -> bool:
    """Tell whether MPI has raised this error, after which ranks can no longer communicate."""
    return type(error).__module__.partition(".")[0] == "mpi4py"


def abort_on_exception(communicator: Communicator) -> None:
    """Let an uncaught exception of one rank end all ranks, with its traceback."""
    if communicator.size == 1:
        return

    def hook(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        where = f"rank {communicator.rank} of {communicator.size}"
        say(f"epmpi: {where} failed:")
        traceback.print_exception(kind, error, trace, file=cast("TextIO", Forgiving(sys.stderr)))
        communicator.abort(1)

    sys.excepthook = hook
