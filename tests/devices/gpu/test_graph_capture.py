"""Graph capture of a step, with a stand-in for graphs."""

import warnings

import numpy as np
import pytest

from epmpi.devices.gpu.graph_capture import IN_FLIGHT, KEPT, CapturedStep


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
def step(log, recorded):
    """Give a step; what is captured of it is added to `recorded`."""

    def record(work):
        recorded.append(work)
        return Graph(lambda: "graph", log)

    return CapturedStep(np.zeros(1, np.uint64), record, lambda: None, lambda mark: None)


def work_of(log, name):
    def work():
        log.append(name)
        return name

    return work


def test_the_first_time_is_plain_and_the_second_is_captured(log, recorded, step):
    for _ in range(4):
        step.take("a", work_of(log, "a"))
    assert log == ["a", *3 * ["launch graph"]]
    assert len(recorded) == 1
    assert step.number == 1


def test_what_is_captured_is_the_work_and_its_count(log, recorded, step):
    for _ in range(2):
        step.take("a", work_of(log, "a"))
    before = int(step.number[0])
    recorded[0]()
    assert log[-1] == "a" and step.number == before + 1


def test_a_step_that_begins_anew_is_captured_anew(log, recorded, step):
    """With the same key: the arrays may be others."""
    for _ in range(2):
        step.begin_at(7)
        assert step.number == 7
        for _ in range(3):
            step.take("a", work_of(log, "a"))
    assert log == 2 * ["a", *2 * ["launch graph"]]
    assert len(recorded) == 2


def test_keys_that_come_once_are_never_captured_and_push_out_old_ones(log, recorded, step):
    for key in range(3 * KEPT):
        step.take(key, work_of(log, key))
    assert log == list(range(3 * KEPT))
    assert not recorded
    for key in ("even", "odd", "even", "odd", 0, "even", "odd"):
        step.take(key, work_of(log, key))
    assert log[3 * KEPT :] == ["even", "odd", *2 * ["launch graph"], 0, *2 * ["launch graph"]]


def test_a_refusal_is_reported_once_and_the_work_is_done(log):
    def record(work):
        raise RuntimeError("operation not permitted")

    step = CapturedStep(np.zeros(1, np.uint64), record, lambda: None, lambda mark: None)
    step.take("a", work_of(log, "a"))
    with pytest.warns(RuntimeWarning, match=r"kernel by kernel: no CUDA graph \(operation not"):
        step.take("a", work_of(log, "a"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for key in ("a", "b", "b", "b"):
            step.take(key, work_of(log, key))
    assert log == ["a", "a", "a", "b", "b", "b"]
    assert step.number == 6


@pytest.mark.parametrize("keys", [["a"], ["a", "b"], range(200)])
def test_the_host_is_a_few_steps_ahead_at_most(log, keys):
    """Recorded or not."""
    asked, done, most = 0, 0, 0

    def wait(mark):
        nonlocal done
        done = max(done, mark)

    step = CapturedStep(np.zeros(1, np.uint64), lambda work: Graph(work, log), lambda: asked, wait)
    for number in range(100):
        asked += 1
        step.take(keys[number % len(keys)], lambda: None)
        most = max(most, asked - done)
    assert IN_FLIGHT // 2 <= most <= IN_FLIGHT
