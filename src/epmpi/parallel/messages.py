"""Small messages between ranks that go on by themselves."""

from __future__ import annotations

from typing import Any

from mpi4py import MPI

from epmpi.parallel.communicator import Communicator


class Messages:
    """Small messages between ranks that need not wait for each other.  Making it is collective.

    What one rank sends to another arrives in order.

    Parameters
    ----------
    communicator : Communicator
    """

    def __init__(self, communicator: Communicator) -> None:
        self._mpi = communicator.mpi.Dup()
        self._leaving: list[MPI.Request] = []

    def send(self, rank: int, message: Any) -> None:
        """Send a message on its way; return at once."""
        self._leaving = [request for request in self._leaving if not request.Test()]
        self._leaving.append(self._mpi.isend(message, dest=rank))

    def arrived(self) -> list[Any]:
        """Return all messages that have arrived, without waiting."""
        found, status = [], MPI.Status()
        while self._mpi.iprobe(status=status):
            found.append(self._mpi.recv(source=status.Get_source()))
        return found

    def close(self) -> None:
        """Wait for what is on its way.  Collective; everything must be received by then."""
        MPI.Request.Waitall(self._leaving)
        self._mpi.Free()
