"""The page of a run: complete in itself, and nothing in it that a browser would run."""

import io
import re

import h5py
import numpy as np
from rich.console import Console
from run_files import brownian

from epmpi.analysis import analyse, report
from epmpi.config import Configuration

PNG = b"\x89PNG\r\n\x1a\n"


def test_it_holds_results_figures_parameters_and_provenance(make_run, monkeypatch):
    for name in ("series", "trajectories", "diffusion", "structure_factor", "panels"):
        monkeypatch.setattr(report, f"draw_{name}", lambda png, *content: png.write_bytes(PNG))
    activity = 0.02 + 0.001 * np.random.default_rng(1).normal(size=500)
    run = make_run(position=brownian(200, 30, 0.05, seed=2), series={"activity": activity})
    configuration = Configuration().with_overrides(["model.temperature=0.07"])
    with h5py.File(run / "run.h5", "r+") as file:
        file["parameters"].attrs["configuration"] = configuration.to_toml()
        file["parameters"].attrs["command"] = "epmpi <script>alert(1)</script>"
    screen = Console(file=io.StringIO(), width=200)
    [analysis] = analyse(run, console=screen, page=True)
    assert analysis.page == run / "report.html"
    assert "wrote" in screen.file.getvalue() and "report.html" in screen.file.getvalue()
    html = analysis.page.read_text(encoding="utf-8")
    assert html.count("data:image/png;base64,") == len(analysis.figures) == 5
    assert set(re.findall(r'(?:src|href)="(\w+):', html)) == {"data"}
    for words in ("activity a", "D(t)", "missing: no fields", "Provenance"):
        assert words in html
    assert '<tr class="changed"><td>model.temperature</td><td>0.07</td>' in html
    assert "<tr><td>model.yield_stress</td><td>1.0</td>" in html
    assert html.count('class="changed"') == 1
    assert "<script" not in html and "&lt;script&gt;" in html


def test_without_the_option_there_is_none(make_run):
    [analysis] = analyse(make_run(series={"activity": np.linspace(0.01, 0.02, 50)}))
    assert analysis.page is None
    assert not (analysis.numbers.parent / "report.html").exists()
