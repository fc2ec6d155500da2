"""What is asked of CuPy, and in which order, with a stand-in that keeps a log."""

import contextlib
import sys
from types import SimpleNamespace

import pytest

from epmpi.devices.gpu import cards


class CuPy:
    """Stands for the module; its one card has number 1."""

    def __init__(self, log):
        self.allocator = None

        @contextlib.contextmanager
        def using_allocator(allocator):
            self.allocator = allocator
            try:
                yield
            finally:
                self.allocator = None

        class Stream:
            ptr = 4711

            def __init__(self, *, non_blocking):
                assert non_blocking
                log.append("stream")

            def use(self):
                log.append("current")

            def begin_capture(self):
                log.append("begin")

            def end_capture(self):
                log.append("end")
                return "graph"

        class Event:
            def record(self, stream):
                assert isinstance(stream, Stream)
                log.append("mark")

            def synchronize(self):
                log.append("wait")

        known = {"name": b"NVIDIA X", "uuid": bytes(range(16)), "l2CacheSize": 1000}
        self.cuda = SimpleNamespace(
            using_allocator=using_allocator,
            Stream=Stream,
            Event=Event,
            get_elapsed_time=lambda first, last: 1500.0,
            Device=lambda number: SimpleNamespace(use=lambda: log.append(f"device {number}")),
            runtime=SimpleNamespace(
                getDeviceProperties=lambda number: known, memGetInfo=lambda: (30, 100)
            ),
        )
        self.get_default_memory_pool = lambda: SimpleNamespace(free_bytes=lambda: 5)


@pytest.fixture
def log():
    return []


@pytest.fixture
def card(log, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", CuPy(log))
    queue = SimpleNamespace(use=lambda pointer: log.append(f"kernels {pointer}"))
    monkeypatch.setattr(cards, "Queue", queue)
    return cards.Card(1)


def test_the_card_is_chosen_before_anything_is_made_on_it(card, log):
    assert log == ["device 1", "stream", "current", "kernels 4711"]
    assert (card.name, card.number) == ("NVIDIA X", 1)
    assert card.uuid == "GPU-00010203-0405-0607-0809-0a0b0c0d0e0f"
    assert (card.free_bytes(), card.total_bytes, card.cache_bytes) == (35, 100, 1000)


def test_work_is_recorded_in_the_stream_and_may_not_allocate(card, log):
    def work():
        log.append("work")
        with pytest.raises(RuntimeError, match="8 bytes asked for while a step was recorded"):
            card._cupy.allocator(8)

    log.clear()
    assert card.record(work) == "graph"
    assert log == ["begin", "work", "end"]
    assert card._cupy.allocator is None


def test_a_recording_that_fails_is_ended(card, log):
    def work():
        raise ValueError("no")

    log.clear()
    with pytest.raises(ValueError, match="no"):
        card.record(work)
    assert log == ["begin", "end"]
    assert card._cupy.allocator is None


def test_times_are_those_of_events(card, log):
    first, last = card.mark(), card.mark()
    assert card.seconds(first, last) == 1.5
    assert log[-3:] == ["mark", "mark", "wait"]
