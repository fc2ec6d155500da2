"""A real GPU against the CPU; several ranks share it where there is only one.  `make test-gpu`."""

import numpy as np
import pytest
from kernels_against_cpu import *  # noqa: F403  (its tests)
from two_devices import (
    CASES,
    assert_alike,
    assert_same_series,
    configuration_of,
    models_of,
    run_in_turns,
)

from epmpi.devices import CPU, gpus
from epmpi.model.model import Model
from epmpi.model.waiting import WaitingTimes
from epmpi.parallel import Communicator
from epmpi.parallel.placement import check_memory, place
from epmpi.run.planning import array_bytes
from epmpi.spectral.transport import CUDA_AWARE, NCCL, NONE, STAGED

# A step that cannot be recorded goes on without a graph, with a warning: here that is a failure.
pytestmark = [pytest.mark.gpu, pytest.mark.mpi, pytest.mark.filterwarnings("error:steps are")]

STEPS = 50
LARGER = ["lattice.shape=[61, 84]", "tracers.number=300"]


@pytest.fixture
def gpu(comm):
    if not gpus()[0]:
        pytest.skip("needs a GPU")
    return place("gpu", Communicator(comm))


@pytest.mark.parametrize("case", CASES)
def test_follows_the_cpu(comm, gpu, case):
    larger = LARGER[:1] if "tracers.number=0" in CASES[case] else LARGER
    tolerance = 2e-5 if case == "single" else 1e-11
    slow, fast = models_of(comm, gpu, *CASES[case], *larger)
    for _ in range(STEPS):
        slow.step()
        fast.step()
        assert_alike(slow, fast, tolerance)
    assert fast.observables() == pytest.approx(slow.observables(), abs=tolerance)
    assert slow.state().counts["events"] > 300


def test_a_step_is_recorded(comm, gpu):
    """As one graph; as two where tracers may leave, or three with exchanges of the host between."""
    _, fast = models_of(comm, gpu, *LARGER)
    for _ in range(3):
        fast.step()
    recorded = [made for made in fast.clock._step._recordings.values() if made is not None]
    assert [len(made.graphs) for made in recorded] == [
        {NONE: 1, NCCL: 2}.get(fast.fft.transport, 3)
    ]


def test_annealing_restoring_and_gathering_follow_the_cpu(comm, gpu):
    """Each changes what a recorded step was made of."""
    models = models_of(comm, gpu, *LARGER)
    counted = []
    for model in models:
        waits = WaitingTimes(model.slab.shape, 0, model.device)
        for step in range(4 * STEPS):
            model.activation.set_temperature(0.5 - 0.002 * min(step, STEPS))
            if step == 2 * STEPS:
                model.restore(model.state())
            if step == 3 * STEPS:
                model.accumulate("waiting_times", waits)
            model.step()
        counted.append(waits.number)
    assert_alike(*models, 1e-10)
    np.testing.assert_array_equal(*counted)


def test_a_run_goes_on_on_the_other_device_and_back(comm, gpu):
    slow, fast = models_of(comm, gpu, *LARGER)
    expected, _ = models_of(comm, gpu, *LARGER)
    for before, after in ((fast, slow), (slow, fast)):
        for _ in range(STEPS):
            before.step()
            expected.step()
        after.restore(before.state())
        assert_alike(expected, after, 1e-11)


def test_checkpoints_go_from_device_to_device(comm, gpu, shared_tmp_path):
    communicator = Communicator(comm)
    found = run_in_turns(["gpu", "cpu", "gpu"], shared_tmp_path / "turns", communicator)
    whole = run_in_turns(["cpu", "cpu", "cpu"], shared_tmp_path / "whole", communicator)
    assert_same_series(found, whole, 1e-10)


@pytest.mark.parametrize("precision", ["double", "single"])
def test_a_longer_run_has_the_statistics_of_the_cpu(comm, gpu, precision):
    """By means over 2000 steps, whose errors come from ten blocks."""
    overrides = ["lattice.shape=[64, 64]", "tracers.number=256", f"run.precision={precision}"]
    means = []
    for model in models_of(comm, gpu, *overrides):
        blocks = []
        for step in range(3000):
            model.step()
            if step >= 1000 and step % 4 == 0:
                seen = model.observables()
                blocks.append([seen.get("activity", 0.0), seen.get("stress_variance", 0.0)])
        means.append(np.reshape(blocks, (10, -1, 2)).mean(axis=1))
    if comm.rank == 0:
        errors = [block.std(axis=0, ddof=1) / np.sqrt(len(block)) for block in means]
        distance = np.abs(means[0].mean(axis=0) - means[1].mean(axis=0))
        assert np.all(distance < 5 * np.hypot(*errors))


def test_how_arrays_travel(comm, gpu):
    _, fast = models_of(comm, gpu, *LARGER)
    cards = comm.allgather(gpu.identity())
    if comm.size == 1:
        assert fast.fft.transport == NONE
    elif len(set(cards)) < comm.size:
        assert fast.fft.transport in (STAGED, CUDA_AWARE)
    else:
        assert fast.fft.transport in (NCCL, CUDA_AWARE, STAGED)


def test_the_card_takes_what_is_planned(comm, gpu):
    """Within what libraries and work areas of cuFFT take, on the card that nobody else uses."""
    configuration = configuration_of("lattice.shape=[2048, 2048]", "tracers.number=100000")
    free = gpu.free_bytes()
    comm.barrier()
    model = Model(configuration, Communicator(comm), gpu)
    model.step()
    gpu.synchronize()
    comm.barrier()
    if comm.size == 1:
        taken, planned = free - gpu.free_bytes(), array_bytes(configuration, 1, gpu)
        assert 0.9 * planned < taken < planned + (1 << 30)


def test_too_large_an_array_is_one_line(gpu):
    with pytest.raises(MemoryError, match=r"^\d+ bytes asked of .*, \d+ bytes of \d+ are free: "):
        gpu.empty((2**22, 2**22), np.float64)


def test_too_large_a_lattice_is_refused_alike(comm, gpu):
    with pytest.raises(ValueError, match=r" has \d+ bytes free, \d+ are needed: use more GPUs"):
        check_memory(1 << 45, gpu, Communicator(comm))


def test_sums_over_rows_of_a_model_are_the_same_again(comm, gpu):
    _, fast = models_of(comm, gpu, *LARGER, *CASES["gaussian, both"])
    first, second = (gpu.row_sums(fast.stress, fast.plastic_strain, fast.active) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_draws_of_many_sites_have_the_same_bits(gpu):
    numbers = 2**63 + 11, 4, 2**34 + 3, 2**35 - 7, 10**5
    expected = CPU().draw_uniforms(*numbers)
    np.testing.assert_array_equal(gpu.draw_uniforms(*numbers), expected)
