"""The all-to-all by NCCL, one GPU a rank.  Not run so far: it waits for a machine with two GPUs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cupy
from cupy.cuda import nccl

_TYPES = {"D": "NCCL_FLOAT64", "F": "NCCL_FLOAT32"}  # of the two parts of a complex number


class NcclExchange:
    """Sends and receives that NCCL carries out together, in the order of the GPU's other work.

    Making one is collective.

    Parameters
    ----------
    share : function
        Returns the root's argument on all ranks.
    """

    overlaps = True

    def __init__(self, size: int, rank: int, share: Callable[[Any], Any]) -> None:
        self._size = size
        key = share(nccl.get_unique_id() if rank == 0 else None)
        self._communicator = nccl.NcclCommunicator(size, key, rank)

    def exchange(
        self,
        send: Any,
        send_parts: list[tuple[int, int]],
        receive: Any,
        receive_parts: list[tuple[int, int]],
    ) -> None:
        """Send part p of a flat complex array to rank p, and receive from all.

        Nobody waits.  Collective; arguments as of `Communicator.exchange`.
        """
        kind = getattr(nccl, _TYPES[send.dtype.char])
        stream = cupy.cuda.get_current_stream().ptr
        nccl.groupStart()
        for peer in range(self._size):
            start, count = send_parts[peer]
            at = send.data.ptr + start * send.itemsize
            self._communicator.send(at, 2 * count, kind, peer, stream)
            start, count = receive_parts[peer]
            at = receive.data.ptr + start * receive.itemsize
            self._communicator.recv(at, 2 * count, kind, peer, stream)
        nccl.groupEnd()
