import io
import math
from pathlib import Path

import pytest
from rich.console import Console

from epmpi.config import ConfigError
from epmpi.paper import FIGURES, cases, reproduce
from epmpi.paper.cases import FULL, QUICK, Case, configure
from epmpi.paper.measured import Measured
from epmpi.paper.printed import PRINTED
from epmpi.paper.reproduction import _largest
from epmpi.paper.rows import Row

TINY = tuple(
    Case(temperature, 32, 5, duration, fields, random)
    for temperature, duration, fields, random in (
        (0.2, 60, 1.0, False),
        (0.1, 60, 1.0, False),
        (0.2, 30, 0.0, True),
        (0.0, 30, 1.0, True),
    )
)


@pytest.mark.parametrize("case", [*QUICK, *FULL])
def test_every_case_can_be_configured(case):
    configuration = configure(case, 0.01)
    assert configuration.lattice.shape == (case.size, case.size)
    assert configuration.output.trajectory_lags == "logarithmic"


def test_cases_have_names_and_seeds_of_their_own():
    for table in (QUICK, FULL):
        assert len({case.name for case in table}) == len(table)
        assert len({configure(case, 0.01).run.seed for case in table}) == len(table)
        for case in table:
            if case.random and case.temperature:
                partner = f"thermal-T{case.temperature:g}-L{case.size}"
                assert partner in {one.name for one in table}


def test_quick_is_quick():
    """15 minutes on 2 cores at 35 ns a site and step, a third of it left for the analysis."""
    sites = {case: case.size**2 * (case.warmup + case.duration) for case in QUICK}
    updates = sum(sites[case] / cases.STEP for case in QUICK if not case.exact)
    # Events of the exact clock, by the law of docs/validation.md, 15 us each.
    events = sum(
        1.8 * math.exp(-0.479 / (case.temperature or 0.0765)) * sites[case]
        for case in QUICK
        if case.exact
    )
    assert events > 1e5
    assert updates * 35e-9 / 2 + events * 15e-6 / 2 < 600


def test_the_faster_clock_is_used():
    """The exact clock where less than one site in 500 yields, about; see docs/performance.md."""
    for case in (*QUICK, *FULL):
        if not case.random or case.temperature:
            assert case.exact == (case.temperature < 0.1)


@pytest.mark.ci
def test_the_whole_way_with_tiny_runs(tmp_path, monkeypatch):
    monkeypatch.setattr("epmpi.paper.reproduction.QUICK", TINY)
    screen = Console(file=io.StringIO(), width=200)
    page = tmp_path / "docs" / "validation.md"
    figures = reproduce([], tmp_path / "paper", page, scale="quick", workers=1, console=screen)
    drawn = [name for name in FIGURES if name != "fig2c"]  # there is no run at its T = 0.07
    assert [figure.stem for figure in figures] == drawn
    assert "fig2c: none of its runs is there" in screen.file.getvalue()
    assert all(figure.stat().st_size for figure in figures)
    text = page.read_text()
    assert "| thermal-T0.04-L256 | not run |" in text
    assert "gamma, regime I" in text
    assert "alpha_b against <v^2>/2" in text
    assert "a times the mean wait" in text
    assert all((page.parent / "images" / f"paper-{name}.png").is_file() for name in drawn)

    screen = Console(file=io.StringIO(), width=200)
    reproduce(["fig1"], tmp_path / "paper", page, scale="quick", workers=1, console=screen)
    assert "0 to run" in screen.file.getvalue()

    screen = Console(file=io.StringIO(), width=200)
    shown = reproduce(
        ["fig2a"], tmp_path / "paper", page, scale="available", workers=1, console=screen
    )
    assert [figure.parent.name for figure in shown] == ["available"]
    assert "to run" not in screen.file.getvalue()
    with pytest.raises(ConfigError, match="no thermal run"):
        reproduce([], tmp_path / "empty", page, scale="available", workers=1, console=screen)


def test_figures_show_the_largest_finished_run_of_each_temperature(monkeypatch):
    quick, full, cold, part = (
        Case(*a) for a in ((0.2, 8, 1, 9), (0.2, 16, 1, 9), (0.1, 8, 1, 9), (0.1, 16, 1, 9))
    )
    runs = [Measured(case, Path(), None) for case in (quick, cold, full, part)]
    lasted = {quick: 9.0, full: 9.0, cold: 9.0, part: 3.0}
    monkeypatch.setattr(Measured, "duration", property(lambda one: lasted[one.case]))
    assert [one.case for one in _largest(runs, "")] == [cold, full]
    assert [one.case for one in _largest([runs[3]], "")] == [part]
    reaches = {quick: {"window"}, part: {"window"}}
    monkeypatch.setattr(Measured, "windows", property(lambda one: reaches.get(one.case, set())))
    assert [one.case for one in _largest(runs, "window")] == [quick, part]


def test_remarks():
    assert all(printed.remark.endswith(".") for printed in PRINTED.values())
    assert Row("alpha_b", "", 0.071, 0.001).remark == "agrees"
    assert Row("alpha_b", "", 0.079, 0.001).remark.endswith(".")
    assert Row("beta", "", 0.5, 0.1).remark.endswith(".")  # the paper prints none
    assert Row("mean_wait", "", 0.9, 0.1, reference=1.0).remark == "agrees"
