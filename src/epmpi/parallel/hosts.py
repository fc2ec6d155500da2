"""The ranks of each host, and messages between hosts, one for each pair of hosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.parallel.communicator import Communicator
from epmpi.parallel.mpi_library import load


@dataclass(frozen=True)
class Hosts:
    """The hosts that share one run.

    Attributes
    ----------
    communicator : Communicator
        Of all ranks.
    ranks : list of range
        Consecutive ranks of each host.
    here : int
        The host of this rank.
    on_host : Communicator
        Of the ranks of this host, in their order.
    """

    communicator: Communicator
    ranks: list[range]
    here: int
    on_host: Communicator

    def begin_messages(
        self, outgoing: Sequence[NDArray | None], arriving: Sequence[NDArray | None]
    ) -> list[Any]:
        """Begin to send an array to each other host, and to receive one from each.

        All ranks of a host call it with the same arrays, in memory that they share; each takes its
        share of the messages.  Wait for them with `finish`.

        Parameters
        ----------
        outgoing, arriving : sequence of array or None
            By host; None for this one.  In one piece.
        """
        requests = []
        for other, ranks in enumerate(self.ranks):
            sent, received = outgoing[other], arriving[other]
            if sent is None or received is None:
                continue
            mine = self.ranks[self.here]
            if self._partner(mine, other) == self.communicator.rank:
                partner = self._partner(ranks, self.here)
                requests.append(self.communicator.mpi.Irecv(_whole(received), partner))
                requests.append(self.communicator.mpi.Isend(_whole(sent), partner))
        return requests

    def finish(self, requests: list[Any]) -> None:
        """Wait for the messages of all ranks of this host.  Collective on the host."""
        load()[0].Request.Waitall(requests)
        requests.clear()
        self.on_host.barrier()

    def _partner(self, ranks: range, other: int) -> int:
        """Return the rank of a host that exchanges messages with another host."""
        return ranks[other % len(ranks)]


def _whole(array: NDArray) -> list[Any]:
    """Return an array in the form of MPI."""
    return [array, array.size, load()[0]._typedict[array.dtype.char]]


def find_hosts(communicator: Communicator) -> Hosts | None:
    """Return the hosts of all ranks; None where they do not matter.  Collective.

    That is for one host, for one rank per host, or if the ranks of a host are not consecutive.
    """
    if communicator.size == 1:
        return None
    own = Communicator(communicator.mpi.Split_type(load()[0].COMM_TYPE_SHARED))
    first = own.broadcast(communicator.rank)
    return group_hosts(communicator, own, communicator.gather_all(first))


def group_hosts(
    communicator: Communicator, on_host: Communicator, first: list[int]
) -> Hosts | None:
    """Return the hosts, given the first rank on the host of each rank; see `find_hosts`."""
    starts = sorted(set(first))
    follow = np.all(np.diff(first) >= 0)
    if len(starts) == 1 or len(starts) == communicator.size or not follow:
        return None
    stops = [*starts[1:], communicator.size]
    ranks = [range(start, stop) for start, stop in zip(starts, stops, strict=True)]
    return Hosts(communicator, ranks, starts.index(first[communicator.rank]), on_host)
