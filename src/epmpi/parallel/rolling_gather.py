"""Records of all ranks, gathered again and again, that nobody waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from epmpi.parallel.communicator import Communicator

if TYPE_CHECKING:
    from mpi4py import MPI


class RollingGather:
    """Gathers one record of each rank on all ranks, in rounds.  Making it is collective.

    A rank takes part in a round when it looks; the round ends when all have.  All ranks see the
    same rounds in the same order, each when it looks next.

    Parameters
    ----------
    communicator : Communicator
    dtype : structured dtype
        Of a record.

    Attributes
    ----------
    records : array, shape (ranks,)
        Of the last round that has ended; zeros before.
    """

    def __init__(self, communicator: Communicator, dtype: DTypeLike) -> None:
        self._mpi = communicator.duplicate().mpi if communicator.size > 1 else None
        self._round: MPI.Request | None = None
        self._leaving = np.zeros(1, dtype)
        self._arriving = np.zeros(communicator.size, dtype)
        self.records = self._arriving.copy()

    def look(self, record: tuple[float, ...]) -> bool:
        """Begin a round with this record if the one before has ended; tell whether one has."""
        if self._round is not None and not self._round.Test():
            return False
        ended = self._round is not None or self._mpi is None
        self._leaving[0] = record
        if self._mpi is None:
            self._arriving[:] = self._leaving
        self.records = self._arriving.copy()
        if self._mpi is not None:
            leaving, arriving = self._leaving.view(np.uint8), self._arriving.view(np.uint8)
            self._round = self._mpi.Iallgather(leaving, arriving)
        return ended

    def close(self) -> None:
        """Wait for the round that goes on.  Collective; all have seen the same last one."""
        if self._round is not None:
            self._round.Wait()
        if self._mpi is not None:
            self._mpi.Free()
