"""Repeated gathering of records of all ranks, without waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from epmpi.parallel.communicator import Communicator

if TYPE_CHECKING:
    from mpi4py import MPI


class RollingGather:
    """Gathers a record of each rank on all ranks, in rounds.  Collective.

    A rank joins a round when it polls; the round ends when all have joined.  All ranks see the same
    rounds in the same order, each at its next poll.

    Parameters
    ----------
    dtype : structured dtype
        Of a record.

    Attributes
    ----------
    records : array, shape (ranks,)
        Of the last completed round; zeros before.
    """

    def __init__(self, communicator: Communicator, dtype: DTypeLike) -> None:
        self._mpi = communicator.duplicate().mpi if communicator.size > 1 else None
        self._round: MPI.Request | None = None
        self._leaving = np.zeros(1, dtype)
        self._arriving = np.zeros(communicator.size, dtype)
        self.records = self._arriving.copy()

    def look(self, record: tuple[float, ...]) -> bool:
        """Join a new round with this record if the last has ended; tell whether it has."""
        if self._mpi is None:
            self.records[0] = record
            return True
        ended = self._round is not None
        if self._round is not None and not self._round.Test():
            return False
        self._leaving[0] = record
        self.records = self._arriving.copy()
        leaving, arriving = self._leaving.view(np.uint8), self._arriving.view(np.uint8)
        self._round = self._mpi.Iallgather(leaving, arriving)
        return ended

    def close(self) -> None:
        """Wait for the current round, the last one of all ranks.  Collective."""
        if self._round is not None:
            self._round.Wait()
        if self._mpi is not None:
            self._mpi.Free()
