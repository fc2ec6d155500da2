"""The CUDA kernels with their types, on the host, against the CPU's loops.

Run by `counted_values.py`, in a process of its own.
"""

import numpy as np
import pytest
import typed_kernels
from kernels_against_cpu import *  # noqa: F403  (its tests)
from numba import cuda
from simulated_gpu import on_host, queued, simulated_gpu


def on_arrays(launch):
    """Return a launch on arrays of the simulated card."""

    def ask(*arguments):
        numbers = [on_host(argument) for argument in arguments]
        return queued(lambda: launch(*numbers))

    return ask


typed_kernels.let_launches_run_here(on_arrays)


@pytest.fixture
def gpu():
    return simulated_gpu()


@cuda.jit
def twice(number, found):
    """Add a number of 32 bits to itself, which takes 64 on a card; NumPy's would wrap."""
    found[cuda.blockIdx.y] = number[0] + number[0]


def test_numbers_have_the_types_of_a_card():
    found = np.zeros(3, np.int64)
    typed_kernels.Launch(twice, (1, 3, 1), 1)(np.array([2**31 - 1], np.int32), found)
    assert found.tolist() == 3 * [2**32 - 2]
