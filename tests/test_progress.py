"""Progress messages of a run."""

import io

import pytest

from epmpi.config import from_mapping
from epmpi.run.progress import RunProgress, speed_of


def updates_of(sites):
    """Return what says the speed of a lattice."""
    return lambda rate: f"{rate * sites / 1e6:.1f} M site updates/s"


@pytest.mark.parametrize(
    ("clock", "step", "words"),
    [
        ("steps", 0.05, "4.1 M site updates/s"),
        ("exact", 0.05, "50 tau/s"),
        ("exact", 1e4, "1e+07 tau/s"),
    ],
)
def test_speeds_in_words(clock, step, words):
    """The exact clock updates no site where nothing happens: its speed is in units of time."""
    configuration = from_mapping(
        {
            "lattice": {"shape": [64, 64]},
            "time": {"clock": clock, "step": step, "warmup": 0.0, "duration": 10 * step},
            "tracers": {"number": 0},
            "output": {"series_every": step},
        }
    )
    assert speed_of(configuration)(1000.0) == words


def test_lines_where_the_output_is_no_terminal():
    stream = io.StringIO()
    with RunProgress(updates_of(1000), stream=stream) as progress:
        progress.begin(0, 1)
        progress.expect(100)
        progress.update(50, "warm-up", None)  # too soon after the start: nothing
        assert stream.getvalue() == ""
        progress.update(100, "measure", 0.0123)
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().startswith("measure: 100 % (100/100 steps)")
    assert "activity 0.0123" in stream.getvalue()
    assert "site updates/s" in stream.getvalue()


@pytest.fixture
def clock(monkeypatch):
    """Return a clock that is set by hand, as a list of one number."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize("first", [1, 5], ids=["one step", "a resumed run"])
@pytest.mark.parametrize("every", [1, 4], ids=["tracers in each step", "in every fourth"])
def test_steps_that_may_compile_are_left_out_of_the_speed(clock, first, every):
    """The first step, and the first one that moves tracers."""
    stream = io.StringIO()
    begun, timed_from = first - 1, first - 1 + every
    with RunProgress(updates_of(10**6), stream=stream) as progress:
        progress.begin(begun, timed_from)
        progress.expect(100)
        for step in sorted({first, timed_from - 1, timed_from} - {begun}):
            clock[0] += 60.0  # the compiler
            progress.update(step, "warm-up", 0.0)
        assert stream.getvalue() == ""
        clock[0] += 20.0
        progress.update(timed_from + 40, "warm-up", 0.000071234)
    assert "2.0 M site updates/s, activity 7.12e-05" in stream.getvalue()
    assert f"{(60 - timed_from) / 2:.0f} s left" in stream.getvalue()


def test_other_ranks_say_nothing():
    stream = io.StringIO()
    with RunProgress(updates_of(1000), shown=False, stream=stream) as progress:
        progress.expect(100)
        progress.update(100, "measure", 0.0)
    assert stream.getvalue() == ""


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_bar_on_a_terminal():
    stream = Terminal()
    with RunProgress(updates_of(1000), stream=stream) as progress:
        progress.begin(0, 1)
        progress.expect(100)
        progress.update(100, "measure", 0.0123)
    assert "activity 0.0123" in stream.getvalue()
    assert "100 %" in stream.getvalue()
