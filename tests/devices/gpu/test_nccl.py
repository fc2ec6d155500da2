"""The all-to-all by NCCL, with stand-ins of CuPy and NCCL that copy by MPI."""

import ctypes
import importlib
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from epmpi.parallel import Communicator

pytestmark = pytest.mark.mpi

STREAM = 4711
REALS = {"float64": np.float64, "float32": np.float32}


class Array:
    """An array of the card: what NCCL is told of it is its address."""

    def __init__(self, numbers):
        self.numbers = numbers
        self.dtype, self.itemsize = numbers.dtype, numbers.itemsize
        self.data = SimpleNamespace(ptr=numbers.ctypes.data)


class Nccl(ModuleType):
    """The module cupy.cuda.nccl: sends and receives of a group are carried out at its end."""

    NCCL_FLOAT64, NCCL_FLOAT32 = "float64", "float32"

    def __init__(self, mpi):
        super().__init__("cupy.cuda.nccl")
        self.mpi, self.keys, self.group = mpi, [], None

    def get_unique_id(self):
        return (self.mpi.rank, "key")

    def groupStart(self):
        assert self.group is None
        self.group = []

    def groupEnd(self):
        sends = {peer: part for what, peer, part in self.group if what == "send"}
        arriving = self.mpi.alltoall([sends[peer].copy() for peer in range(self.mpi.size)])
        for what, peer, part in self.group:
            if what == "recv":
                part[:] = arriving[peer]
        self.group = None

    def NcclCommunicator(self, size, key, rank):
        assert (size, rank) == (self.mpi.size, self.mpi.rank)
        self.keys.append(key)
        return SimpleNamespace(send=self.queue("send"), recv=self.queue("recv"))

    def queue(self, what):
        def call(at, count, kind, peer, stream):
            assert stream == STREAM
            kind = REALS[kind]
            memory = (ctypes.c_char * (count * np.dtype(kind).itemsize)).from_address(at)
            self.group.append((what, peer, np.frombuffer(memory, kind)))

        return call


@pytest.fixture
def exchange(comm, monkeypatch):
    """Return the exchange of NCCL, and the stand-in behind it."""
    nccl = Nccl(comm)
    cuda = ModuleType("cupy.cuda")
    cuda.nccl, cuda.get_current_stream = nccl, lambda: SimpleNamespace(ptr=STREAM)
    cupy = ModuleType("cupy")
    cupy.cuda = cuda
    for module in (cupy, cuda, nccl):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.delitem(sys.modules, "epmpi.devices.gpu.nccl", raising=False)
    made = importlib.import_module("epmpi.devices.gpu.nccl")
    monkeypatch.delitem(sys.modules, "epmpi.devices.gpu.nccl")
    share = Communicator(comm).broadcast
    return made.NcclExchange(comm.size, comm.rank, share), nccl


@pytest.mark.parametrize("dtype", [np.complex128, np.complex64])
def test_nccl_delivers_what_mpi_does(comm, exchange, dtype):
    """Uneven parts that overlap, one of them empty."""
    by_nccl, nccl = exchange
    assert nccl.keys == [(0, "key")]
    size, rank = comm.size, comm.rank
    parts = [(peer, peer) for peer in range(size)]
    arriving = [(peer * rank, rank) for peer in range(size)]
    send = (1 + np.arange(2 * size) + 1j * (100 * rank)).astype(dtype)
    found, expected = (np.zeros(size * rank, dtype) for _ in range(2))
    by_nccl.exchange(Array(send), parts, Array(found), arriving)
    Communicator(comm).exchange(send, parts, expected, arriving)
    np.testing.assert_array_equal(found, expected)
    assert found.all()
