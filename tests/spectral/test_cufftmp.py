"""Where the engine cuFFTMp refuses; that it transforms right is tested as for every engine."""

from types import SimpleNamespace

import numpy as np
import pytest
from stand_in_nvmath import Card

from epmpi.config import ConfigError
from epmpi.devices import CPU
from epmpi.devices.gpu import cufftmp
from epmpi.lattice import Lattice
from epmpi.parallel import Communicator
from epmpi.spectral import make_transform

pytestmark = pytest.mark.mpi


def refused(comm, device):
    with pytest.raises(ConfigError) as caught:
        make_transform("cufftmp", Lattice((8, 12)), Communicator(comm), device, np.float64)
    messages = comm.allgather(str(caught.value))
    assert len(set(messages)) == 1
    assert "\n" not in messages[0]
    return messages[0]


def test_a_cpu_is_refused(comm):
    assert refused(comm, CPU()) == (
        'run.fft = "cufftmp": rank 0 cannot (it needs a GPU: set run.device = "gpu"); set run.fft '
        '= "auto"'
    )


def test_a_rank_without_the_library_is_enough(comm):
    reason = "nvmath.distributed cannot be imported" if comm.rank == comm.size - 1 else ""
    message = refused(comm, Card(f"GPU-{comm.rank}", reason))
    assert f"rank {comm.size - 1} cannot (nvmath.distributed cannot be imported)" in message


def test_ranks_that_share_a_card_are_refused(comm):
    if comm.size > 1:
        assert f"{comm.size} ranks share the GPU GPU-0" in refused(comm, Card("GPU-0"))


def test_what_is_missing_is_told(monkeypatch):
    def broken(name):
        raise OSError("libnvshmem_host.so.3:\n not found")

    monkeypatch.setattr(cufftmp.importlib, "import_module", broken)
    assert cufftmp.missing() == (
        "nvmath.distributed cannot be imported (libnvshmem_host.so.3: not found)"
    )


def test_the_library_is_initialised_once(comm, monkeypatch):
    calls = []

    def begin(device_id, process_group, backends):
        calls.append((device_id, process_group, backends))

    library = SimpleNamespace(get_context=lambda: calls or None, initialize=begin)
    monkeypatch.setattr(cufftmp.importlib, "import_module", lambda name: library)
    assert cufftmp.initialize(2, comm) is cufftmp.initialize(2, comm) is library
    assert calls == [(2, comm, ["nvshmem"])]
