"""What a run tells while it goes on."""

import io

from epmpi.progress import RunProgress


def test_lines_where_the_output_is_no_terminal():
    stream = io.StringIO()
    with RunProgress(1000, stream=stream) as progress:
        progress.begin(0)
        progress.expect(100)
        progress.update(50, "warm-up", None)  # too soon after the start: nothing
        assert stream.getvalue() == ""
        progress.update(100, "measure", 0.0123)
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().startswith("measure: 100 % (100/100 steps)")
    assert "activity 0.0123" in stream.getvalue()
    assert "site updates/s" in stream.getvalue()


def test_other_ranks_say_nothing():
    stream = io.StringIO()
    with RunProgress(1000, shown=False, stream=stream) as progress:
        progress.expect(100)
        progress.update(100, "measure", 0.0)
    assert stream.getvalue() == ""


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_bar_on_a_terminal():
    stream = Terminal()
    with RunProgress(1000, stream=stream) as progress:
        progress.begin(0)
        progress.expect(100)
        progress.update(100, "measure", 0.0123)
    assert "activity 0.0123" in stream.getvalue()
    assert "100 %" in stream.getvalue()
