"""The model on a real GPU against the CPU; several ranks share it where there is only one."""

import numpy as np
import pytest
from two_devices import CASES, assert_alike, models_of

from epmpi.devices import gpus
from epmpi.parallel import Communicator
from epmpi.placement import place
from epmpi.waiting import WaitingTimes

pytestmark = [pytest.mark.gpu, pytest.mark.mpi]

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


def test_a_run_goes_on_on_the_other_device_and_back(comm, gpu):
    slow, fast = models_of(comm, gpu, *LARGER)
    expected, _ = models_of(comm, gpu, *LARGER)
    for before, after in ((fast, slow), (slow, fast)):
        for _ in range(STEPS):
            before.step()
            expected.step()
        after.restore(before.state())
        assert_alike(expected, after, 1e-11)


def test_waiting_times_are_counted_alike(comm, gpu):
    counted = []
    for model in models_of(comm, gpu, *LARGER):
        waits = WaitingTimes(model.slab.shape, 0, model.device)
        model.gather("waiting_times", waits)
        for _ in range(STEPS):
            model.step()
        counted.append(waits.number)
    np.testing.assert_array_equal(*counted)


def test_draws_have_the_same_bits(comm, gpu):
    slow, _ = models_of(comm, gpu)
    numbers = 2**63 + 11, 4, 2**34 + 3, 2**35 - 7, 10**5
    expected = slow.device.draw_uniforms(*numbers)
    np.testing.assert_array_equal(gpu.draw_uniforms(*numbers), expected)


def test_sums_over_rows_are_the_same_again(comm, gpu):
    _, fast = models_of(comm, gpu, *LARGER, *CASES["gaussian, both"])
    first, second = (
        gpu.row_sums(fast.stress, fast.plastic_strain, fast.direction) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_too_large_an_array_is_one_line(gpu):
    with pytest.raises(MemoryError, match=r"^\d+ bytes asked of .*, \d+ of \d+ are free: use more"):
        gpu.empty((2**22, 2**22), np.float64)
