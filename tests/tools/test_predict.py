"""The prediction from the command line: tables, CSV, figure, and what is said of measurements."""

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
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_gpus_need_no_measurement_and_nothing_is_called_measured(run):
    code, out, _ = run("--sizes", 1024, 32768)
    assert code == 0
    assert "Predicted, not measured." in out
    assert "where slabs stop paying" in out
    assert "measured steps beside the model" not in out
    assert "ms published" in out


def test_tables_and_figure(run, tmp_path):
    code, out, _ = run("--sizes", 1024, 2048, "--plot", "p.png")
    assert code == 0
    times = [line.split() for line in out.split("ms a step")[1].splitlines()[2:4]]
    assert [row[0] for row in times] == ["1024", "2048"]
    assert [row.count("-") for row in times] == [1, 0]
    assert all(float(cell) > 0 for row in times for cell in row if cell != "-")
    assert (tmp_path / "p.png").stat().st_size > 20_000


def test_cores_need_a_measurement(run):
    code, out, err = run("--machine", "here")
    assert (code, out) == (2, "")
    assert "run tools/scaling.py first" in err


def test_measured_cores_are_validated(run, tmp_path):
    write_rows(tmp_path / "rows.csv", synthetic(noise=0.02))
    for name in ("here", "cpu-hdr"):
        code, out, _ = run("--machine", name, "--sizes", 1024, "--measured", "rows.csv")
        assert code == 0
        assert out.startswith(f"{name}: ")
    assert "fitted: median error" in out
    assert "unseen: median error" in out
