"""Memory that all ranks see."""

import ctypes
import os
import re
import signal

import numpy as np
import pytest

from epmpi.parallel import Communicator
from epmpi.spectral import shared_memory as module
from epmpi.spectral.shared_memory import shared_memory

pytestmark = pytest.mark.mpi

KILLED = """
import os, signal
from epmpi.parallel import Communicator
from epmpi.spectral import shared_memory as module

def die(*arguments):
    print(open("/proc/self/maps").read())
    for handle in os.listdir("/proc/self/fd"):
        if os.path.exists(f"/proc/self/fd/{{handle}}"):
            print(os.readlink(f"/proc/self/fd/{{handle}}"), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

{at} = die
module.shared_memory(Communicator(), [1 << 22])
"""


def sizes(comm):
    return [1000 + 100 * rank for rank in range(comm.size)]


def test_what_one_rank_writes_the_others_see(comm):
    memory = shared_memory(Communicator(comm), sizes(comm))
    assert memory.shape == (sum(sizes(comm)),)
    assert not memory.any()
    comm.barrier()
    start = sum(sizes(comm)[: comm.rank])
    memory[start : start + sizes(comm)[comm.rank]] = comm.rank + 1
    comm.barrier()
    expected = np.repeat(np.arange(comm.size) + 1, sizes(comm))
    np.testing.assert_array_equal(memory, expected)
    comm.barrier()


def test_nothing_is_left_behind(comm):
    memory = shared_memory(Communicator(comm), sizes(comm))
    comm.barrier()
    with open("/proc/self/maps") as maps:
        names = [line.split(maxsplit=5)[5] for line in maps if "/memfd:epmpi-" in line]
    assert names
    assert all(name.strip().endswith("(deleted)") for name in names)
    assert memory is not None


def on_huge_pages(memory):
    """Return how many bytes of mapped memory this process has on huge pages."""
    begins = f"{memory.ctypes.data:x}-"
    with open("/proc/self/smaps") as maps:
        entry = maps.read().partition(begins)[2]
    return 1024 * int(re.search(r"ShmemPmdMapped: +(\d+) kB", entry)[1])


def test_it_lies_on_huge_pages_where_the_system_has_them(comm):
    """Whole huge pages of all parts together: a page belongs to the part in which it begins."""
    size = 5 * module.HUGE_PAGE // 2
    memory = shared_memory(Communicator(comm), [size] * comm.size)
    comm.barrier()
    assert memory.ctypes.data % module.HUGE_PAGE == 0
    assert not memory.any()
    whole = memory.size // module.HUGE_PAGE * module.HUGE_PAGE
    found = on_huge_pages(memory)
    advise = module._system_call("madvise", ctypes.c_int, ctypes.c_int)
    if advise(memory.ctypes.data, whole, module.MADV_COLLAPSE) == 0:  # it has them
        assert found == whole
    comm.barrier()


def test_nothing_is_lost_where_the_system_refuses_huge_pages(comm, monkeypatch):
    monkeypatch.setattr(module, "MADV_COLLAPSE", -1)
    memory = shared_memory(Communicator(comm), [module.HUGE_PAGE] * comm.size)
    comm.barrier()
    assert on_huge_pages(memory) == 0
    memory[comm.rank * module.HUGE_PAGE] = 7
    comm.barrier()
    assert memory.sum() == 7 * comm.size
    comm.barrier()


@pytest.mark.parametrize(
    "failing", ["memfd_create", "truncate", "readlink", "open", "posix_fallocate", "_map"]
)
def test_none_on_all_ranks_where_one_cannot(comm, monkeypatch, failing):
    """The root cannot make the file; or the last rank cannot see it, finds no room, or no map."""

    def refuse(*arguments, **options):
        raise OSError("refused")

    if comm.size == 1 and failing in ("readlink", "open"):
        return  # the root has the file already
    handles = set(os.listdir("/proc/self/fd"))
    if failing in ("memfd_create", "truncate"):
        monkeypatch.setattr(module.os, failing, refuse)
    elif comm.rank == comm.size - 1:
        monkeypatch.setattr(module if failing == "_map" else module.os, failing, refuse)
    found = shared_memory(Communicator(comm), sizes(comm))
    assert found is None
    monkeypatch.undo()
    assert set(os.listdir("/proc/self/fd")) == handles
    comm.barrier()


def test_a_process_that_has_the_number_of_the_first_rank_elsewhere_is_not_taken_for_it(comm):
    handle = os.memfd_create("epmpi-of-another-run")
    with pytest.raises(OSError, match="not the memory of the first rank"):
        module._open(f"/proc/self/fd/{handle}", "epmpi-of-this-run")
    os.close(handle)


def test_a_kill_at_any_moment_leaves_nothing(comm, launch):
    """Before the map, after it, and while all ranks have it: it never had a name in any folder."""
    if comm.size > 1:
        return  # an MPI process must not start another one
    for at in ("os.posix_fallocate", "module._map", "module._collapse"):
        done = launch("-c", KILLED.format(at=at))
        assert done.returncode == -signal.SIGKILL
        names = [line for line in done.stdout.splitlines() if "epmpi-" in line]
        assert names
        assert all("/memfd:epmpi-" in name and name.endswith("(deleted)") for name in names)
