"""Transport of the arrays of a transpose between the ranks, chosen once by all together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

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


class Offer(NamedTuple):
    """Capabilities of one rank.

    Parameters
    ----------
    card : str or None
        Identity of its GPU; None for a CPU.
    nccl, cuda_aware : bool
        Whether NCCL is installed, and whether its MPI takes arrays of a GPU.
    """

    card: str | None = None
    nccl: bool = False
    cuda_aware: bool = False


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


class ByMPI:
    """MPI, which knows nothing of the device's queue, between two parts of a step.

    Parameters
    ----------
    staged : bool
        Whether copies on the host are exchanged, or MPI takes the arrays where they are.
    """

    overlaps = False

    def __init__(self, communicator: Communicator, device: Device, *, staged: bool) -> None:
        self._communicator = communicator
        self._device = device
        self._staged = staged
        self._buffers: dict[tuple[str, int, str], NDArray] = {}

    def exchange(
        self, send: NDArray, send_parts: Parts, receive: NDArray, receive_parts: Parts
    ) -> None:
        """Wait for the device, then exchange the arrays or copies of both.  Collective."""
        outgoing, arriving = send, receive
        if self._staged:
            outgoing, arriving = self._buffer("send", send), self._buffer("receive", receive)

        def carry() -> None:
            if self._staged:
                self._device.fetch(send, outgoing)
            else:
                self._device.synchronize()
            self._communicator.exchange(outgoing, send_parts, arriving, receive_parts)
            if self._staged:
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
    name = decide(communicator.gather_all(mine))
    if name != HOST:
        return name
    if shared_memory(communicator, [1] * communicator.size) is not None:
        return SHARED
    return HOST if find_hosts(communicator) is None else HOSTS


def shares_memory(communicator: Communicator, device: Device) -> bool:
    """Tell whether the spectra will be in memory that all ranks see.  Collective."""
    return agree(communicator, offer(device)) == SHARED


def make_transport(communicator: Communicator, device: Device) -> tuple[str, Transport | None]:
    """Choose the transport; return its name and, of GPUs, what carries it out.  Collective."""
    name = agree(communicator, offer(device))
    if name == NCCL:
        by_nccl: Any = device
        return name, by_nccl.nccl(communicator.size, communicator.rank, communicator.broadcast)
    if name in (CUDA_AWARE, STAGED):
        return name, ByMPI(communicator, device, staged=name == STAGED)
    return name, None
