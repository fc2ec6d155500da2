"""Memory that the ranks of a node share: what one of them writes, all the others see.

It is a file of Linux that has no name in any folder, so that nothing is left whenever a rank is
killed, and neither the size of /dev/shm nor the right to write there matters.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import secrets
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from epmpi.parallel import Communicator

HUGE_PAGE = 1 << 21  # bytes
MAP_FIXED, MADV_COLLAPSE = 16, 25  # of Linux; Python does not name them


def shared_memory(communicator: Communicator, sizes: Sequence[int]) -> NDArray[np.uint8] | None:
    """Return memory that all ranks see, zero at first; None where they share none.  Collective.

    It is reserved at once, so that nothing fails later, and given back when the last rank forgets
    it or dies.

    Parameters
    ----------
    sizes : sequence of int
        Bytes of each rank's part; the parts follow one another.  Each rank reserves its own, so
        that it lies near its processor.
    """
    memory, place, handle = None, None, -1
    if communicator.is_root:
        try:
            name = f"epmpi-{secrets.token_hex(8)}"
            handle = os.memfd_create(name)
            os.truncate(handle, sum(sizes))
            place = f"/proc/{os.getpid()}/fd/{handle}", name
        except (OSError, AttributeError):  # AttributeError: not Linux
            place = None
    place = communicator.broadcast(place)
    if place is None:
        if handle >= 0:
            os.close(handle)
        return None
    try:
        if not communicator.is_root:
            handle = _open(*place)
        start = sum(sizes[: communicator.rank])
        os.posix_fallocate(handle, start, max(1, sizes[communicator.rank]))
        memory = _map(handle, sum(sizes))
    except (OSError, ValueError):  # another node, another container, or too little memory
        memory = None
    failed = communicator.max(int(memory is None))
    if handle >= 0:
        os.close(handle)
    if failed or memory is None:
        return None
    _collapse(memory, start, start + sizes[communicator.rank])
    return memory


def _open(path: str, name: str) -> int:
    """Open the file of a process of this node; OSError where that is another one's.

    On another node, and in another container, the same number may be that of any process.
    """
    if not os.readlink(path).startswith(f"/memfd:{name}"):
        raise OSError(f"{path} is not the memory of the first rank")
    return os.open(path, os.O_RDWR)


def _map(handle: int, size: int) -> NDArray[np.uint8]:
    """Map a file to an address where a huge page may begin, within private memory kept for it.

    Both are given back together.
    """
    private = mmap.mmap(-1, size + HUGE_PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    room = np.frombuffer(private, np.uint8)
    memory = room[-room.ctypes.data % HUGE_PAGE :][:size]
    address, access = memory.ctypes.data, mmap.PROT_READ | mmap.PROT_WRITE
    map_at = _system_call("mmap", ctypes.c_void_p, *[ctypes.c_int] * 3, ctypes.c_long)
    if map_at(address, size, access, mmap.MAP_SHARED | MAP_FIXED, handle, 0) != address:
        raise OSError(ctypes.get_errno(), "no mapping of shared memory")
    return memory


def _collapse(memory: NDArray[np.uint8], start: int, stop: int) -> None:
    """Put on huge pages, where the system can, what begins in the bytes start ... stop.

    A column touches a page for every row, and a processor keeps the addresses of some thousand
    pages. Linux before 6.1 refuses, as does one whose free memory is in pieces; nothing is lost.
    """
    begin, end = (-(-edge // HUGE_PAGE) * HUGE_PAGE for edge in (start, stop))
    end = min(end, memory.size // HUGE_PAGE * HUGE_PAGE)
    if begin < end:
        advise = _system_call("madvise", ctypes.c_int, ctypes.c_int)
        advise(memory.ctypes.data + begin, end - begin, MADV_COLLAPSE)


def _system_call(name: str, result: type, *more: type) -> Callable[..., int | None]:
    """Return a function of the C library that takes an address, a number of bytes, and more."""
    prototype = ctypes.CFUNCTYPE(result, ctypes.c_void_p, ctypes.c_size_t, *more, use_errno=True)
    return prototype((name, ctypes.CDLL(None)))
