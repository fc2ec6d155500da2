"""The exponential and the logarithm of the exact clock's loops, against those of NumPy."""

import numpy as np

from epmpi.devices.cpu.compiler import compiled
from epmpi.devices.cpu.thinning.elementary import exponential, logarithm


@compiled
def exponentials(numbers, results):
    for n in range(numbers.size):
        results[n] = exponential(numbers[n])


@compiled
def logarithms(numbers, results):
    for n in range(numbers.size):
        results[n] = logarithm(numbers[n])


def test_the_exponential():
    numbers = np.concatenate([-np.geomspace(1e-300, 708.0, 100_001), [0.0, -1e300]])
    found = np.empty_like(numbers)
    exponentials(numbers, found)
    np.testing.assert_allclose(found, np.exp(np.maximum(numbers, -708.0)), rtol=5e-16)


def test_the_logarithm():
    numbers = np.geomspace(2.3e-308, 1e308, 100_001)
    near_1 = 1 + np.concatenate([-np.geomspace(1e-15, 0.5, 10_001), np.geomspace(1e-15, 2, 10_001)])
    numbers = np.concatenate([numbers, near_1, [1.0, 2.0, 0.5]])
    found = np.empty_like(numbers)
    logarithms(numbers, found)
    np.testing.assert_allclose(found, np.log(numbers), rtol=5e-16)
