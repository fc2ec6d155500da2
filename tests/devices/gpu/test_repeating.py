"""When work is recorded, with a stand-in for graphs."""

import warnings

import pytest

from epmpi.devices.gpu.repeating import KEPT, Repeater


class Graph:
    def __init__(self, work, log):
        self.work, self.log = work, log

    def launch(self):
        self.log.append(f"launch {self.work()}")


@pytest.fixture
def log():
    return []


@pytest.fixture
def recorded():
    return []


@pytest.fixture
def repeat(log, recorded):
    """Give a repeater; what it has recorded is added to `recorded`."""

    def record(work):
        recorded.append(work)
        return Graph(lambda: "graph", log)

    return Repeater(record)


def work_of(log, name):
    def work():
        log.append(name)
        return name

    return work


def test_the_first_time_is_plain_and_the_second_is_recorded(log, recorded, repeat):
    for _ in range(4):
        repeat("a", work_of(log, "a"))
    assert log == ["a", *3 * ["launch graph"]]
    assert len(recorded) == 1


def test_keys_that_come_once_are_never_recorded_and_push_out_old_ones(log, recorded, repeat):
    for key in range(3 * KEPT):
        repeat(key, work_of(log, key))
    assert log == list(range(3 * KEPT))
    assert not recorded
    for key in ("even", "odd", "even", "odd", 0, "even", "odd"):
        repeat(key, work_of(log, key))
    assert log[3 * KEPT :] == ["even", "odd", *2 * ["launch graph"], 0, *2 * ["launch graph"]]


def test_a_refusal_is_told_once_and_the_work_is_done(log):
    def record(work):
        raise RuntimeError("operation not permitted")

    repeat = Repeater(record)
    repeat("a", work_of(log, "a"))
    with pytest.warns(RuntimeWarning, match=r"kernel by kernel: no CUDA graph \(operation not"):
        repeat("a", work_of(log, "a"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for key in ("a", "b", "b", "b"):
            repeat(key, work_of(log, key))
    assert log == ["a", "a", "a", "b", "b", "b"]
