"""The CUDA kernels in Numba's simulator against the CPU's loops; run by `test_simulated.py`."""

import pytest
from kernels_against_cpu import *  # noqa: F403  (its tests)
from numba import cuda
from simulated_gpu import simulated_gpu

from epmpi.devices.gpu.compiler import numba_cuda


@pytest.fixture
def gpu():
    return simulated_gpu()


def test_this_is_the_simulator():
    assert numba_cuda is cuda
    assert "simulator" in type(cuda.jit(lambda: None)).__module__
