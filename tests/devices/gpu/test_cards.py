"""Calls to CuPy and their order, with a stand-in that keeps a log."""

import contextlib
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from epmpi.devices.gpu import cards


class Graph:
    """Stands for a graph; tells its nodes as the driver does."""

    def __init__(self, nodes, log):
        self.nodes, self.log = nodes, log

    def debug_dot_str(self):
        return "digraph dot {" + "".join(f'"graph_0_node_{n}"[]' for n in range(self.nodes)) + "}"

    def launch(self):
        self.log.append("launch")


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

            def wait_event(self, event):
                log.append(("waits", self, event.stream))

            def begin_capture(self):
                log.append("begin")

            def end_capture(self):
                log.append("end")
                return Graph(self.nodes, log)

            nodes = 2

        class Event:
            def __init__(self, *, disable_timing=False):
                self.stream = None

            def record(self, stream):
                assert isinstance(stream, Stream)
                self.stream = stream
                log.append("mark")

            def synchronize(self):
                log.append("wait")

        known = {"name": b"NVIDIA X", "uuid": b"", "l2CacheSize": 1000}  # up to a zero byte
        self.ndarray = object
        self.empty = np.empty
        self.cuda = SimpleNamespace(
            driver=SimpleNamespace(launchKernel=None),
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
    queue = SimpleNamespace(use=lambda stream, *others: log.append(f"kernels {stream}"))
    monkeypatch.setattr(cards, "Queue", queue)
    monkeypatch.setattr(cards, "identity_of", lambda number: f"GPU-of-{number}")
    monkeypatch.setattr(cards, "stream_of", lambda pointer: pointer)
    monkeypatch.setattr(cards, "_STREAMS", {})
    return cards.Card(1)


def test_the_card_is_chosen_before_anything_is_made_on_it(card, log):
    assert log == ["device 1", "stream", "stream", "current", "kernels 4711"]
    assert (card.kind, card.number) == ("NVIDIA X", 1)
    assert card.uuid == "GPU-of-1"
    assert (card.free_bytes(), card.total_bytes, card.block_bytes) == (35, 100, 250)


def test_work_is_recorded_in_the_stream_and_may_not_allocate(card, log):
    def work():
        log.append("work")
        with pytest.raises(RuntimeError, match="8 bytes asked for while a step was recorded"):
            card._cupy.allocator(8)

    log.clear()
    assert len(card.record(work).graphs) == 1
    assert log == ["begin", "work", "end"]
    assert card._cupy.allocator is None


def test_what_no_graph_takes_stands_between_two(card, log):
    def work():
        log.append("rows")
        card.aside(lambda: log.append("exchange"))
        log.append("columns")

    recording = card.record(work)
    assert log[-6:] == ["begin", "rows", "end", "begin", "columns", "end"]
    log.clear()
    recording.launch()
    assert log == ["launch", "exchange", "launch"]
    card.aside(lambda: log.append("at once"))
    assert log[-1] == "at once"


def test_a_recording_of_nothing_is_refused(card, log):
    """As one would be whose work went to another stream."""
    card._stream.nodes = 0
    with pytest.raises(RuntimeError, match="nothing was recorded of a step"):
        card.record(lambda: None)


def test_devices_of_one_card_share_its_stream(card, log):
    log.clear()
    assert cards.Card(1)._stream is card._stream
    assert log == ["device 1", "current", "kernels 4711"]


def test_a_process_computes_on_one_card(card, log):
    with pytest.raises(ValueError, match="GPU 2: this process computes on GPU 1, expected one"):
        cards.Card(2)


def test_work_beside_is_in_a_second_stream(card, log):
    """After all that was asked for before; and later work waits for it where it is told to."""
    first, second, current = card._stream, card._second, []
    for stream in (first, second):
        stream.use = lambda stream=stream: current.append(stream)
    log.clear()
    end = card.beside(lambda: log.append(("work", current[-1])))
    assert log == ["mark", ("waits", second, first), ("work", second), "mark"]
    assert current == [second, first]
    assert end.stream is second
    log.clear()
    card.after(end)
    assert log == [("waits", first, second)]
    with pytest.raises(ValueError, match="no"):
        card.beside(lambda: int("no"))
    assert current[-1] is first


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
