"""Results of a run that has not come to its end say so."""

import io

import h5py
import numpy as np
import pytest
from rich.console import Console
from run_files import COMPLETE, brownian, write_run

from epmpi import Simulation, from_mapping
from epmpi.analysis import RunFile, analyse, report
from epmpi.analysis.completeness import shortfall
from epmpi.run.stopping import Decision, Pace

SERIES = {"activity": 0.02 + 0.001 * np.random.default_rng(1).normal(size=101)}


def words_of(directory, **options):
    """Return what the screen, the page and analysis.h5 say of a run, and the title of figures."""
    screen = Console(file=io.StringIO(), width=250)
    [analysis] = analyse(directory, console=screen, page=True, **options)
    with h5py.File(analysis.numbers) as file:
        stored = file.attrs.get("stopped", ""), file.attrs["remarks"], file.attrs["complete"]
    return screen.file.getvalue(), analysis.page.read_text(), stored, analysis.title


@pytest.mark.parametrize(
    ("ended", "brief", "remark"),
    [
        (
            {"stopped": "SIGTERM"},
            "stopped early: t = 50 of 1000",
            "the run stopped early (SIGTERM): the results are of the time up to t = 50 of 1000 tau",
        ),
        (
            {},
            "not ended: t = 50 of 1000",
            "the run has not ended (still running, or killed): the results are of the time up to",
        ),
    ],
)
def test_it_is_said_everywhere(tmp_path, ended, brief, remark):
    run = write_run(tmp_path / "run", series=SERIES, ended=ended)
    shown, page, (stored, remarks, is_complete), title = words_of(run)
    assert shown.splitlines()[1].strip() == brief and remark in shown
    assert page.count(brief) == 2 and remark in page
    assert stored == brief and remark in remarks and not is_complete
    assert title.endswith("\n" + brief)


def test_a_run_that_came_to_its_end_says_nothing(tmp_path):
    shown, page, (stored, remarks, is_complete), title = words_of(
        write_run(tmp_path / "run", series=SERIES)
    )
    assert "early" not in shown + page + title + remarks and "ended" not in shown + page + title
    assert not stored and is_complete


def test_it_is_in_every_figure(tmp_path, monkeypatch):
    """As the last line of its title, whatever the figure."""
    titles = []
    for name in [name for name in vars(report) if name.startswith("draw_")]:
        if name != "draw_figures":
            monkeypatch.setattr(
                report, name, lambda png, *content: (png.touch(), titles.append(content[-1]))
            )
    fields = {"stress": np.random.default_rng(2).normal(size=(20, 16, 24))}
    run = write_run(
        tmp_path / "run",
        position=brownian(200, 10, 0.05, seed=2),
        series=SERIES,
        fields=fields,
        ended={"stopped": "time limit"},
    )
    [analysis] = analyse(run)
    assert len(titles) == len(analysis.figures) == 6
    # The last frame of all is the last one of the trajectory.
    assert {title.splitlines()[-1] for title in titles} == {"stopped early: t = 99.5 of 1000"}


@pytest.mark.parametrize(
    ("stopped", "words"),
    [((), None), ((2,), "1 of 4 replicas stopped early"), (range(4), "4 of 4 replicas stopped")],
)
def test_replicas_are_counted(tmp_path, stopped, words):
    for number in range(4):
        ended = {"stopped": "SIGTERM"} if number in stopped else COMPLETE
        write_run(tmp_path / f"replica-{number:03d}", series=SERIES, ended=ended)
    text = from_mapping({"run": {"replicas": 4}}).to_toml()
    (tmp_path / "ensemble.toml").write_text(text)
    [analysis] = analyse(tmp_path)
    assert (analysis.shortfall is None) == (words is None)
    assert words is None or words in analysis.remarks[0]


def test_a_run_without_a_frame_came_to_nothing(tmp_path):
    with RunFile(write_run(tmp_path / "run", ended={"stopped": "SIGTERM"})) as run:
        assert shortfall([run]).brief == "stopped early: t = 0 of 1000"


def test_a_simulation_that_was_stopped_and_then_resumed(tmp_path, monkeypatch):
    settings = {
        "lattice": {"shape": [12, 12]},
        "tracers": {"number": 0},
        "time": {"step": 0.1, "warmup": 1.0, "duration": 8.0},
        "output": {"series_every": 0.5},
    }

    def decide(self, now):
        return Decision("SIGTERM" if now >= 60 else "", False, False, now + 1)

    monkeypatch.setattr(Pace, "decide", decide)
    run = Simulation(from_mapping(settings)).run(tmp_path / "run", progress=False)
    [analysis] = analyse(run)
    assert analysis.shortfall.brief == "stopped early: t = 5 of 8"
    monkeypatch.undo()
    Simulation.resume(run).run(progress=False)
    [analysis] = analyse(run)
    assert analysis.shortfall is None
