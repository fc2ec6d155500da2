"""Transport of the arrays of a transpose between the ranks, chosen once by all together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from epmpi.devices import Device
from epmpi.parallel import Communicator, cuda_aware
from epmpi.parallel.hosts import find_hosts
from epmpi.spectral.shared_memory import shared_memory

Parts = list[tuple[int, int]]  # (start, count) in elements, one a rank

NONE = "none"  # one rank
SHARED = "shared memory"  # the arrays are in memory that all ranks see
HOST = "MPI"  # the arrays are on the host, of several nodes
HOSTS = "MPI between hosts, shared memory on each"
NCCL = "NCCL"
CUDA_AWARE = "CUDA-aware MPI"
STAGED = "MPI through pinned host memory"


@dataclass(frozen=True)
class Offer:
    """Capabilities of one rank.

    Parameters
    ----------
    card : str or None
        Identity of its GPU; None for a CPU.
    nccl, cuda_aware : bool
        Whether NCCL is installed, and whether its MPI takes arrays of a GPU.
    """

    card: str | None
    nccl: bool
    cuda_aware: bool


NO_CARD = Offer(None, nccl=False, cuda_aware=False)  # that of a CPU


def decide(offers: Sequence[Offer]) -> str:
    """Return the transport of the arrays of all ranks.

    NCCL where all ranks have it and no two share a GPU, which it refuses; MPI where it takes the
    arrays as they are; else through the host, which works everywhere.
    """
    if len(offers) == 1:
        return NONE
    if all(offer.card is None for offer in offers):
        return HOST
    cards = {offer.card for offer in offers if offer.card is not None}
    if len(cards) == len(offers) and all(offer.nccl for offer in offers):
        return NCCL
    return CUDA_AWARE if all(offer.cuda_aware for offer in offers) else STAGED


class Transport(Protocol):
    """Carries out exchanges; arguments as of `Communicator.exchange`.

    Attributes
    ----------
    overlaps : bool
        Whether they go to the device's queue, so that they can be under way beside other work.
    """

    overlaps: bool

    def exchange(
        self, send: NDArray, send_parts: Parts, receive: NDArray, receive_parts: Parts
    ) -> None:
        """Send part p of a flat array to rank p, and receive from all.  Collective."""
        ...


class ByDeviceBuffers:
    """MPI takes the arrays where they are, but knows nothing of the device's queue."""

    overlaps = False

    def __init__(self, communicator: Communicator, device: Device) -> None:
        self._communicator = communicator
        self._device = device

    def exchange(
        self, send: NDArray, send_parts: Parts, receive: NDArray, receive_parts: Parts
    ) -> None:
        """Wait for the device, then exchange.  Collective."""

        def carry() -> None:
            self._device.synchronize()
            self._communicator.exchange(send, send_parts, receive, receive_parts)

        self._device.aside(carry)


class ThroughHost:
    """Copies to the host, exchanges there, and copies back."""

    overlaps = False

    def __init__(self, communicator: Communicator, device: Device) -> None:
        self._communicator = communicator
        self._device = device
        self._buffers: dict[tuple[str, int, str], NDArray] = {}

    def exchange(
        self, send: NDArray, send_parts: Parts, receive: NDArray, receive_parts: Parts
    ) -> None:
        """Exchange copies of both arrays.  Collective."""
        outgoing, arriving = self._buffer("send", send), self._buffer("receive", receive)

        def carry() -> None:
            self._device.fetch(send, outgoing)
            self._communicator.exchange(outgoing, send_parts, arriving, receive_parts)
            self._device.store(arriving, receive)

        self._device.aside(carry)

    def _buffer(self, use: str, array: NDArray) -> NDArray:
        key = use, array.size, array.dtype.char
        if key not in self._buffers:
            self._buffers[key] = self._device.pinned(array.size, array.dtype)
        return self._buffers[key]


def offer(device: Device) -> Offer:
    """Return the capabilities of this rank."""
    card = device.identity()
    return Offer(card, device.has_nccl(), card is not None and cuda_aware())


def agree(communicator: Communicator, mine: Offer) -> str:
    """Choose the transport by the offers of all ranks; return its name.  Collective."""
    offers = communicator.gather(mine)
    name: str = communicator.broadcast(decide(offers) if offers is not None else None)
    if name != HOST:
        return name
    if shared_memory(communicator, [1] * communicator.size) is not None:
        return SHARED
    return HOST if find_hosts(communicator) is None else HOSTS


def shares_memory(communicator: Communicator, device: Device) -> bool:
    """Tell whether the spectra will be in memory that all ranks see.  Collective."""
    return agree(communicator, offer(device)) == SHARED


def make_transport(communicator: Communicator, device: Device) -> tuple[str, Any]:
    """Choose the transport; return its name and the object that carries it out.  Collective."""
    name = agree(communicator, offer(device))
    if name == NCCL:
        by_nccl: Any = device
        return name, by_nccl.nccl(communicator.size, communicator.rank, communicator.broadcast)
    if name == CUDA_AWARE:
        return name, ByDeviceBuffers(communicator, device)
    return name, ThroughHost(communicator, device) if name == STAGED else communicator
