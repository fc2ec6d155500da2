"""Devices of the ranks, with stand-ins for GPUs."""

import sys

import numpy as np
import pytest

import epmpi.parallel.placement
from epmpi.config import ConfigError
from epmpi.devices import CPU, Device, choose, gpus
from epmpi.devices.gpu.compiler import check_compiler
from epmpi.parallel import Communicator
from epmpi.parallel.placement import check_memory, place


class Card(CPU):
    """A CPU that says that it is a GPU with some memory."""

    def __init__(self, uuid, free):
        self.uuid, self.free = uuid, free

    def identity(self):
        return self.uuid

    def free_bytes(self):
        return self.free

    def describe(self):
        return f"card {self.uuid}"


@pytest.fixture
def found(monkeypatch):
    """Return a function that lets this rank find so many GPUs."""

    def let(number):
        monkeypatch.setattr(
            epmpi.parallel.placement, "gpus", lambda: (number, "" if number else "why")
        )
        monkeypatch.setattr(
            epmpi.parallel.placement, "choose", lambda name, card=None: (name, card)
        )

    return let


@pytest.mark.mpi
@pytest.mark.parametrize("name", ["auto", "gpu"])
def test_ranks_of_a_node_take_its_gpus_in_turn(comm, found, name):
    found(2)
    assert place(name, Communicator(comm)) == ("gpu", comm.rank % 2)


@pytest.mark.mpi
def test_auto_takes_gpus_only_where_every_rank_has_one(comm, found):
    found(1 if comm.rank else 0)
    assert place("auto", Communicator(comm)) == ("cpu", 0)
    found(4)
    assert place("cpu", Communicator(comm)) == ("cpu", 0)


@pytest.mark.mpi
def test_a_rank_without_a_compiler_is_one_line_on_all_ranks(comm, found, monkeypatch):
    """As where NumPy is newer than numba-cuda knows."""
    found(2)
    monkeypatch.setattr(epmpi.parallel.placement, "choose", lambda name, card: check_compiler())
    if comm.rank == 0:
        monkeypatch.setitem(sys.modules, "numba.cuda.cudaimpl", None)
    message = r"^Numba compiles no kernels for GPUs beside NumPy .* pip install 'numpy<2.5', or set"
    with pytest.raises(ConfigError, match=message):
        place("auto", Communicator(comm))


@pytest.mark.mpi
def test_a_gpu_that_is_asked_for_and_missing_is_one_line_on_all_ranks(comm, found):
    found(1 if comm.rank < comm.size - 1 else 0)
    with pytest.raises(ConfigError) as refused:
        place("gpu", Communicator(comm))
    assert str(refused.value) == (
        f'run.device = "gpu": rank {comm.size - 1} has none (why); set run.device = "cpu"'
    )


@pytest.mark.mpi
def test_ranks_that_share_a_card_share_its_memory(comm):
    communicator = Communicator(comm)
    check_memory(100, CPU(), communicator)
    check_memory(100, Card("A", 100 * comm.size), communicator)
    check_memory(100, Card(f"number {comm.rank}", 100), communicator)
    free = 100 * comm.size - 1
    with pytest.raises(ConfigError) as refused:
        check_memory(100, Card("A", free), communicator)
    assert str(refused.value) == (
        f"card A has {free} bytes free, {100 * comm.size} are needed: use more GPUs, single "
        "precision or a smaller lattice"
    )


def test_the_simulator_is_no_gpu(monkeypatch):
    monkeypatch.setenv("NUMBA_ENABLE_CUDASIM", "1")
    assert gpus() == (0, "NUMBA_ENABLE_CUDASIM is set: kernels run in Numba's simulator")
    assert isinstance(place("auto", Communicator.world()), CPU)


def test_cards_that_are_hidden_are_not_used(launch):
    """Whatever the machine has; CuPy need not be installed."""
    done = launch(
        "-c", "from epmpi.devices import gpus; print(gpus()[0])", CUDA_VISIBLE_DEVICES="-1"
    )
    assert done.stdout == "0\n"


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match="device is 'tpu', expected 'cpu' or 'gpu'"):
        choose("tpu")


def test_devices_handle_tracers_alike():
    cpu, position = CPU(), np.array([[0.5, 1.0], [-0.5, 3.9], [9.0, -1.0], [17.2, 0.0]])
    np.testing.assert_array_equal(cpu.outside_rows(position, 0, 5, 8), [1])
    far = np.random.default_rng(1).uniform(-30, 30, (200, 2))
    found = cpu.outside_rows(far, 2, 5, 8)
    np.testing.assert_array_equal(found, Device.outside_rows(cpu, far, 2, 5, 8))
    assert 0 < len(found) < 200
    np.testing.assert_array_equal(cpu.order_by_site(position, (8, 4)), [0, 3, 2, 1])


@pytest.mark.parametrize("leave", [[], [0], [1, 3], [4, 5], [0, 4], [0, 1, 2, 3, 4, 5]])
@pytest.mark.parametrize("arrive", [0, 1, 2, 5, 20])
@pytest.mark.parametrize("room", [6, 9])
def test_rows_that_arrive_replace_those_that_leave(leave, arrive, room):
    """Of 6 rows, in an array with and without room for more."""
    given = np.zeros((room, 2))
    given[:6] = 10 + np.arange(12).reshape(6, 2)
    stay = [tuple(row) for n, row in enumerate(given[:6]) if n not in leave]
    arriving = -1.0 - np.arange(2 * arrive).reshape(-1, 2)
    got = CPU().replace_rows(given, 6, np.array(leave, np.int64), arriving)
    number = 6 - len(leave) + arrive
    assert sorted(map(tuple, got[:number])) == sorted(stay + [tuple(row) for row in arriving])
    assert (got is given) == (number <= room)


def test_a_run_without_its_gpu_ends_with_one_line(launch, tmp_path):
    (tmp_path / "a.toml").write_text("[run]\ndevice = 'gpu'\n")
    done = launch(
        "-m", "epmpi.cli", "run", "a.toml", ranks=2, cwd=tmp_path, CUDA_VISIBLE_DEVICES="-1"
    )
    assert done.returncode == 2
    assert done.stderr.startswith('epmpi: run.device = "gpu": rank 0 has none (')
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "runs").exists()
