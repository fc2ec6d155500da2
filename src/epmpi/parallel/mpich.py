"""Resources of a node without which MPICH is killed silently: shared memory, access rights."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

SHARED = "/dev/shm"
ROOM = 3 * 2**19  # bytes of it for each rank of a node; less was not enough for 2 and 4 ranks
REMEDY = "give the container more (docker run --shm-size=1g)"
CMA = "MPIR_CVAR_CH4_CMA_ENABLE"  # of MPICH: reading the memory of another process
YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")


def no_room(ranks: int) -> str:
    """Return why MPICH would be killed on this node (by SIGBUS, or with a stack), or nothing.

    Parameters
    ----------
    ranks : int
        Number of ranks on this node.
    """
    try:
        found = os.statvfs(SHARED)
    except OSError:
        return ""
    if found.f_flag & os.ST_RDONLY or not os.access(SHARED, os.W_OK):
        return f"{SHARED} cannot be written to, which MPI needs"
    free = found.f_bavail * found.f_frsize
    if free < ROOM * ranks:
        return (
            f"{SHARED} has {free / 2**20:.3g} MiB free, MPI needs {ROOM * ranks / 2**20:.3g} for "
            f"{ranks} rank(s)"
        )
    return ""


def leave_memory_of_others_alone() -> None:
    """Let MPICH copy through shared memory where the system forbids process_vm_readv.

    Containers forbid it altogether, other systems between processes that have not started each
    other.  The results are the same.  A setting of the user is kept.
    """
    if not may_read_others():
        os.environ.setdefault(CMA, "0")


def may_read_others() -> bool:
    """Tell whether this process may read the memory of others of this user."""
    try:
        scope = int(YAMA.read_text(encoding="ascii"))
    except (OSError, ValueError):
        scope = 0
    if scope >= 3 or (scope and os.geteuid() != 0):
        return False
    try:
        read = ctypes.CDLL(None, use_errno=True).process_vm_readv
    except (OSError, AttributeError):
        return False
    there, here = ctypes.c_long(1), ctypes.c_long(0)
    pointers = [(ctypes.c_size_t * 2)(ctypes.addressof(n), ctypes.sizeof(n)) for n in (here, there)]
    unsigned = ctypes.c_ulong
    read.restype = ctypes.c_ssize_t
    done = read(
        os.getpid(), ctypes.byref(pointers[0]), unsigned(1), ctypes.byref(pointers[1]),
        unsigned(1), unsigned(0),
    )  # fmt: skip
    return bool(done == ctypes.sizeof(there) and here.value == 1)
