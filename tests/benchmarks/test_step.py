"""The benchmark of steps runs, in one loop and split by stage, and its rows stay together."""

import csv

import pytest

from benchmarks.rows import append

SHORT = ["--sizes", "64", "--warmup", "2", "--steps", "2", "--rounds", "1"]


@pytest.mark.parametrize("ranks", [1, pytest.param(2, marks=pytest.mark.ci)])
def test_stages_add_up_to_the_step(launch, tmp_path, ranks):
    file = tmp_path / "step.csv"
    for options in ([], ["--split"], ["--every", "2"]):
        done = launch("-m", "benchmarks.step", *SHORT, *options, "--csv", file, ranks=ranks)
        assert done.returncode == 0, done.stderr
    with file.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["tracers"] for row in rows] == ["0", "256"] * 3
    loops, blocks, seldom = rows[1], rows[3], rows[5]
    assert float(loops["row_pass"]) > 0 and float(loops["flow_pass"]) > 0
    assert float(blocks["row_pass"]) == float(blocks["flow_pass"]) == 0
    assert all(float(blocks[stage]) > 0 for stage in ("rule", "moving", "inverse_rows", "columns"))
    assert all(float(seldom[stage]) > 0 for stage in ("flow_pass", "forward_rows", "columns"))
    assert loops["ranks"] == str(ranks) and "cores" in loops["machine"]


def test_rows_with_new_columns_join_the_old_ones(tmp_path):
    file = tmp_path / "rows.csv"
    append({"L": 1, "ms": 2.0}, file)
    append({"L": 3, "rate": 4.0}, file)
    with file.open(newline="") as stream:
        first, second = csv.DictReader(stream)
    assert (first["L"], first["ms"], first["rate"]) == ("1", "2.0", "")
    assert (second["L"], second["ms"], second["rate"]) == ("3", "", "4.0")
    assert first["date"] and second["date"]
