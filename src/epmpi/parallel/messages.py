"""Small messages between ranks that go on by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from epmpi.parallel.communicator import Communicator
from epmpi.parallel.mpi_library import load

if TYPE_CHECKING:
    from mpi4py import MPI


class Messages:
    """Small messages between ranks that need not wait for each other.  Making it is collective.

    What one rank sends to another arrives in order.

    Parameters
    ----------
    communicator : Communicator
    """

    def __init__(self, communicator: Communicator) -> None:
        self._mpi = communicator.mpi.Dup() if communicator.size > 1 else None
        self._leaving: list[MPI.Request] = []
        self._own: list[Any] = []  # of one rank to itself

    def send(self, rank: int, message: Any) -> None:
        """Send a message on its way; return at once."""
        if self._mpi is None:
            self._own.append(message)
            return
        self._leaving = [request for request in self._leaving if not request.Test()]
        self._leaving.append(self._mpi.isend(message, dest=rank))

    def arrived(self) -> list[Any]:
        """Return all messages that have arrived, without waiting."""
        if self._mpi is None:
            found, self._own = self._own, []
            return found
        found, status = [], load()[0].Status()
        while self._mpi.iprobe(status=status):
            found.append(self._mpi.recv(source=status.Get_source()))
        return found

    def close(self) -> None:
        """Wait for what is on its way.  Collective; everything must be received by then."""
        if self._mpi is not None:
            load()[0].Request.Waitall(self._leaving)
            self._mpi.Free()
