"""The benchmark of instantaneous events runs for either driver, and its rows stay together."""

import csv

import pytest

from benchmarks import jumps

pytestmark = pytest.mark.ci
SHORT = ["--sizes", "24", "--warmup", "0.1", "--seconds", "0.05", "--rounds", "2"]


def test_rows_of_either_driver(monkeypatch, tmp_path):
    file = tmp_path / "jumps.csv"
    for words in (["--barrier", "1.5"], ["--activation", "extremal"]):
        monkeypatch.setattr("sys.argv", ["jumps", *SHORT, *words, "--csv", str(file)])
        jumps.main()
    with file.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["activation"] for row in rows] == ["thermal", "extremal"]
    assert [row["barrier"] for row in rows] == ["1.5", "quadratic"]
    for row in rows:
        assert float(row["us_per_event"]) * float(row["events_per_second"]) == pytest.approx(
            1e6, rel=0.01
        )
        assert float(row["candidates_per_event"]) >= 0.99
