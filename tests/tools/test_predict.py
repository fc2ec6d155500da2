"""The prediction from the command line: tables, CSV, figure, and what is said of measurements."""

import csv
import sys

import predict
import pytest
from measured_steps import synthetic, write_rows


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Return a function that calls the program in an empty folder and returns what it prints."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["predict.py", *map(str, arguments)])
        code = predict.main()
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


def test_gpus_need_no_measurement_and_nothing_is_called_measured(run):
    code, out, _ = run("--sizes", 1024, 32768)
    assert code == 0
    assert "Predicted, not measured." in out
    assert "where slabs stop paying" in out
    assert "measured steps beside the model" not in out
    assert "ms published" in out


def test_rows_and_figure(run, tmp_path):
    code, _, _ = run("--sizes", 1024, 2048, "--csv", "p.csv", "--plot", "p.png")
    assert code == 0
    with open(tmp_path / "p.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 10 + 11
    assert all(float(row["predicted_ms"]) > 0 for row in rows)
    assert float(rows[0]["efficiency"]) == 1.0
    assert (tmp_path / "p.png").stat().st_size > 20_000


def test_cores_need_a_measurement(run):
    code, out, err = run("--machine", "here")
    assert (code, out) == (2, "")
    assert "run tools/scaling.py first" in err


def test_measured_cores_are_validated(run, tmp_path):
    write_rows(tmp_path / "rows.csv", synthetic(noise=0.02))
    code, out, _ = run("--machine", "all", "--sizes", 1024, "--measured", "rows.csv")
    assert code == 0
    for name in (*predict.GPUS, *predict.CORES):
        assert f"\n{name}: " in f"\n{out}"
    assert "fitted: median error" in out
    assert "unseen: median error" in out


def test_a_measured_copy_replaces_the_data_sheet(run):
    def first_time(*options):
        out = run("--sizes", 4096, "--tracers", 0, *options)[1]
        return float(out.split("ms a step")[1].split()[13])

    assert first_time("--copy", 1e12) > 2 * first_time()
    assert first_time("--reached", 1.0) < first_time()
