"""Memory that all ranks see."""

import os

import numpy as np
import pytest

from epmpi.parallel import Communicator
from epmpi.spectral import shared_memory as module
from epmpi.spectral.shared_memory import shared_memory

pytestmark = pytest.mark.mpi


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
        names = [line.split(maxsplit=5)[5] for line in maps if f"{module.FOLDER}/epmpi-" in line]
    assert names
    assert all(name.strip().endswith("(deleted)") for name in names)
    assert memory is not None


@pytest.mark.parametrize("failing", ["mkstemp", "open", "posix_fallocate"])
def test_none_on_all_ranks_where_one_cannot(comm, monkeypatch, failing):
    """The root cannot make the file; or the last rank cannot see it, or finds no room."""

    def refuse(*arguments, **options):
        raise OSError("refused")

    made = os.listdir(module.FOLDER)
    comm.barrier()
    if failing == "mkstemp":
        monkeypatch.setattr(module.tempfile, "mkstemp", refuse)
    elif comm.rank == comm.size - 1:
        monkeypatch.setattr(module.os, failing, refuse)
    found = shared_memory(Communicator(comm), sizes(comm))
    assert found is None
    comm.barrier()
    left = {name for name in os.listdir(module.FOLDER) if name.startswith("epmpi-")}
    assert left <= set(made)
