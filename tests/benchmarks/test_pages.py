"""The columns in memory of one process and in shared memory."""

from benchmarks import pages
from epmpi.spectral import shared_memory


def test_every_memory_is_timed_and_the_advice_is_as_before():
    advice = shared_memory.MADV_COLLAPSE
    found = pages.measure(64, 2)
    assert list(found) == ["own", "shared, small pages", "shared, huge pages"]
    assert all(0 < ns < float("inf") for ns in found.values())
    assert advice == shared_memory.MADV_COLLAPSE


def test_memories_are_apart():
    arrays = pages.memories((3, 2, 8))
    for number, array in enumerate(arrays.values()):
        array[...] = number
    assert [array.real.min() for array in arrays.values()] == list(range(len(arrays)))
