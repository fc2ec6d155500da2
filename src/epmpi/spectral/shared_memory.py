"""Memory that the ranks of a node share: what one of them writes, all the others see."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from epmpi.parallel import Communicator

FOLDER = "/dev/shm"  # files in memory, where the system has them


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
    memory, name, handle = None, None, -1
    if communicator.is_root:
        try:
            handle, name = tempfile.mkstemp(prefix="epmpi-", dir=FOLDER)
            os.truncate(handle, sum(sizes))
        except OSError:
            name = None
    name = communicator.broadcast(name)
    if name is None:
        return None
    try:
        if not communicator.is_root:
            handle = os.open(name, os.O_RDWR)
        start = sum(sizes[: communicator.rank])
        os.posix_fallocate(handle, start, max(1, sizes[communicator.rank]))
        memory = mmap.mmap(handle, sum(sizes))
    except (OSError, ValueError):  # another node, another container, or too little memory
        memory = None
    failed = communicator.max(int(memory is None))
    if handle >= 0:
        os.close(handle)
    if communicator.is_root:
        os.unlink(name)
    return None if failed or memory is None else np.frombuffer(memory, np.uint8)
