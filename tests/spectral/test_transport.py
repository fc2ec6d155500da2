"""Transport of arrays between ranks: the choice, and the way through the host."""

from types import SimpleNamespace

import numpy as np
import pytest

from epmpi.devices import CPU
from epmpi.parallel import Communicator, cuda_aware, mpi_library
from epmpi.spectral import transport
from epmpi.spectral.transport import (
    CUDA_AWARE,
    HOST,
    NCCL,
    NONE,
    SHARED,
    STAGED,
    ByMPI,
    Offer,
    decide,
    make_transport,
)

BOTH, NEITHER = (True, True), (False, False)
CASES = [
    (NONE, [("A", *BOTH)]),
    (HOST, [(None, *NEITHER)] * 3),
    (NCCL, [("A", *BOTH), ("B", *BOTH)]),
    (NCCL, [("A", True, False), ("B", True, False)]),
    (CUDA_AWARE, [("A", *BOTH), ("A", *BOTH)]),  # one card for two ranks: NCCL refuses
    (CUDA_AWARE, [("A", *BOTH), ("B", False, True)]),
    (STAGED, [("A", True, False), ("A", True, False), ("B", True, False)]),
    (STAGED, [("A", *NEITHER), ("B", True, True)]),
    (STAGED, [("A", *BOTH), (None, *NEITHER)]),
]


@pytest.mark.parametrize(("expected", "offers"), CASES)
def test_decision(expected, offers):
    assert decide([Offer(*given) for given in offers]) == expected
    assert decide([Offer(*given) for given in offers[::-1]]) == expected


def test_mpi_of_a_wheel_knows_no_gpu():
    assert cuda_aware() is False


def query_of_mpich(answer, failed=0):
    def query(kind, supported):
        assert kind == 0
        supported._obj.value = answer
        return failed

    return SimpleNamespace(MPIX_GPU_query_support=query)


@pytest.mark.parametrize(
    ("libraries", "expected"),
    [
        ([SimpleNamespace(MPIX_Query_cuda_support=lambda: 1)], True),
        ([SimpleNamespace(MPIX_Query_cuda_support=lambda: 0)], False),
        ([query_of_mpich(1)], True),
        ([query_of_mpich(0)], False),
        ([query_of_mpich(1, failed=1)], False),
        ([SimpleNamespace(), query_of_mpich(1)], True),  # bindings of C++ beside the library
        ([SimpleNamespace()], False),
        ([None], False),  # that cannot be opened
        ([], False),
    ],
)
def test_libraries_are_asked_and_nothing_is_tried(monkeypatch, libraries, expected):
    def load(number):
        if libraries[number] is None:
            raise OSError
        return libraries[number]

    monkeypatch.setattr(mpi_library, "_loaded_libraries", lambda name: range(len(libraries)))
    monkeypatch.setattr(mpi_library.ctypes, "CDLL", load)
    assert cuda_aware() is expected


@pytest.mark.mpi
@pytest.mark.parametrize("shared", [True, False])
def test_arrays_of_the_host_share_memory_or_go_by_mpi(comm, monkeypatch, shared):
    communicator = Communicator(comm)
    if not shared:
        monkeypatch.setattr(transport, "shared_memory", lambda communicator, sizes: None)
    name, carrier = make_transport(communicator, CPU())
    assert name == ((SHARED if shared else HOST) if comm.size > 1 else NONE)
    assert carrier is None


@pytest.mark.mpi
@pytest.mark.parametrize("staged", [True, False])
def test_every_way_delivers_the_same(comm, staged):
    """Uneven parts that overlap, twice, so that buffers are used again."""
    communicator, size = Communicator(comm), comm.size
    parts = [(rank, rank + 2) for rank in range(size)]
    arriving = [(rank * (comm.rank + 2), comm.rank + 2) for rank in range(size)]
    carrier = ByMPI(communicator, CPU(), staged=staged)
    for turn in range(2):
        send = 1 + np.arange(2 * size + 1) + 1j * (100 * comm.rank + turn)
        found, expected = (np.zeros(size * (comm.rank + 2), complex) for _ in range(2))
        carrier.exchange(send, parts, found, arriving)
        communicator.exchange(send, parts, expected, arriving)
        np.testing.assert_array_equal(found, expected)
        assert found.all()
