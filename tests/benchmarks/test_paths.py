"""The benchmark of paths runs by either clock, and finds that rarer moves are less accurate."""

import re

import pytest

from benchmarks import paths

pytestmark = pytest.mark.ci


@pytest.mark.parametrize(
    "words",
    [
        ["--clock", "exact", "--sites-per-move", "256", "64", "16"],
        ["--clock", "steps", "--every", "2", "4", "8"],
    ],
)
def test_rarer_moves_are_less_accurate(words, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["paths", "--size", "32", "--temperatures", "0.1", *words])
    paths.main()
    error = [float(found) for found in re.findall(r"error=(\S+)", capsys.readouterr().out)]
    assert len(error) == 3
    assert 0 < 3 * error[0] < error[1] < error[2] < 0.1
