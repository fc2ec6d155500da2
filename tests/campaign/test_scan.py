import io

import h5py
import numpy as np
import pytest
from rich.console import Console

from epmpi.campaign.quantities import mean_over_seeds
from epmpi.campaign.runs import Job, carry_out, stored
from epmpi.campaign.scan import read_campaign, scan
from epmpi.config import ConfigError, from_mapping, load

CAMPAIGN = """
[model]
activation = "random"
[tracers]
number = 8
[time]
warmup = 0.0
duration = 20.0
[output]
trajectory_every = 0.25

[scan]
seeds = [1, 2]
quantities = ["activity", "velocity_variance"]
[scan.grid]
"lattice.shape" = [[8, 8], [12, 10]]
[[scan.points]]
"model.activity" = 0.1
[[scan.points]]
"model.activity" = 0.3
"""


FIT = """[[scan.fits]]
quantity = "activity"
law = "equal"
against = "{}"
[scan.grid]"""


@pytest.fixture
def campaign(tmp_path):
    path = tmp_path / "sizes.toml"
    path.write_text(CAMPAIGN)
    return path


def test_points_are_all_combinations(campaign):
    found = read_campaign(campaign)
    assert len(found.points) == 4
    assert len(found.points[0].jobs) == 2
    names = [job.name for point in found.points for job in point.jobs]
    assert len(set(names)) == 8
    assert names[0] == "shape8x8-activity0.1-seed1"
    configuration = found.points[-1].jobs[-1].configuration
    assert configuration.lattice.shape == (12, 10)
    assert (configuration.model.activity, configuration.run.seed) == (0.3, 2)


def test_grids_follow_one_another(campaign):
    grids = """[[scan.grid]]
"lattice.shape" = [[8, 8]]
"time.duration" = [20.0]
[[scan.grid]]
"lattice.shape" = [[12, 10]]
"time.duration" = [10.0]
"""
    start, end = CAMPAIGN.index("[scan.grid]"), CAMPAIGN.index("[[scan.points]]")
    campaign.write_text(CAMPAIGN[:start] + grids + CAMPAIGN[end:])
    found = [point.jobs[0] for point in read_campaign(campaign).points]
    assert [job.configuration.time.duration for job in found] == [20, 20, 10, 10]
    # The name leaves out what a longer run would change.
    assert found[0].name == "shape8x8-activity0.1-seed1"


def test_a_grid_may_have_seeds_of_its_own(campaign):
    grids = """[[scan.grid]]
seeds = [5, 6, 7]
"lattice.shape" = [[8, 8]]
[[scan.grid]]
"lattice.shape" = [[12, 10]]
"""
    start, end = CAMPAIGN.index("[scan.grid]"), CAMPAIGN.index("[[scan.points]]")
    text = CAMPAIGN[:start] + grids + CAMPAIGN[end:]
    campaign.write_text(text)
    points = read_campaign(campaign).points
    seeds = [[job.configuration.run.seed for job in point.jobs] for point in points]
    assert seeds == [[5, 6, 7], [5, 6, 7], [1, 2], [1, 2]]
    assert all("seeds" not in point.changes for point in points)
    assert points[0].jobs[2].name == "shape8x8-activity0.1-seed7"
    campaign.write_text(text.replace("seeds = [1, 2]", f"seeds = [{'1,' * 60_000}]"))
    with pytest.raises(ConfigError, match="asks for 120006 runs"):
        read_campaign(campaign)
    alone = text.replace("seeds = [1, 2]\n", "").replace("[model]", "[run]\nseed = 3\n[model]")
    campaign.write_text(alone)
    with pytest.raises(ConfigError, match=r"leave run\.seed out"):
        read_campaign(campaign)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("[scan]\nseeds", "[scans]\nseeds", "section"),
        ('"velocity_variance"', '"viscosity"', "viscosity"),
        ("warmup = 0.0", "warmups = 0.0", "warmup"),
        ("seeds = [1, 2]", "seeds = [", "not valid TOML"),
        ("seeds = [1, 2]", 'seeds = ["a"]', r"scan.seeds = \['a'\]: expected a list of whole"),
        ("seeds = [1, 2]", "seeds = 1", "expected a list of whole numbers"),
        ('"lattice.shape" = [[8, 8], [12, 10]]', '"lattice.shape" = 8', "a list for each key"),
        ("[model]", "lattice = 8\n[model]", "lattice = 8: expected a section"),
        ("seeds = [1, 2]", f"seeds = [{'1,' * 30_000}]", "asks for 120000 runs"),
        ("[scan.grid]", '[[scan.fits]]\nlaw = "equal"\n[scan.grid]', "against"),
        ("[scan.grid]", FIT.format("model.temperature"), r"no point changes it.*model\.activity"),
        ("[scan.grid]", FIT.format("tracers"), r"'tracers'.*lattice\.shape"),
        ("[scan.grid]", FIT.format("lattice.shap"), r"'lattice\.shap'"),
        ("seeds = [1, 2]", "seeds = []", "asks for no run"),
        ('"lattice.shape" = [[8, 8], [12, 10]]', '"lattice.shape" = []', "asks for no run"),
        ("[model]", "[run]\nseed = 3\n[model]", "leave run.seed out"),
        (
            '"lattice.shape" = ',
            'seeds = [1.5]\n"lattice.shape" = ',
            r"seeds = \[1\.5\] in scan\.grid",
        ),
        ('"lattice.shape" = ', 'seeds = 1\n"lattice.shape" = ', "a list for each key"),
        ('"lattice.shape" = ', 'seeds = []\n"lattice.shape" = ', "asks for no run"),
        ('"lattice.shape" = ', '"run.seed" = [1, 2]\n"lattice.shape" = ', "set scan.seeds"),
    ],
)
def test_a_campaign_that_cannot_be_run(campaign, before, after, words):
    campaign.write_text(CAMPAIGN.replace(before, after))
    with pytest.raises(ConfigError, match=words) as caught:
        read_campaign(campaign)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("against", ["lattice.shape", "model.activity", "model", "lattice"])
def test_a_fit_against_an_axis_or_its_section(campaign, against):
    campaign.write_text(CAMPAIGN.replace("[scan.grid]", FIT.format(against)))
    assert read_campaign(campaign).fits[0].against == against


def test_the_seed_of_the_file_is_that_of_the_scan(campaign):
    text = CAMPAIGN.replace("seeds = [1, 2]\n", "").replace("[model]", "[run]\nseed = 7\n[model]")
    campaign.write_text(text)
    found = read_campaign(campaign).points[0].jobs
    assert [job.configuration.run.seed for job in found] == [7]


def test_runs_and_campaigns_are_reported_apart(campaign):
    with pytest.raises(ConfigError, match=f"use epmpi scan {campaign}"):
        load(campaign)
    campaign.write_text(CAMPAIGN.split("[scan]")[0])
    with pytest.raises(ConfigError, match=f"begun by epmpi run {campaign}"):
        read_campaign(campaign)


@pytest.mark.slow
def test_a_scan_runs_reuses_and_adds(campaign, tmp_path, monkeypatch):
    screen = Console(file=io.StringIO(), width=40)
    few = CAMPAIGN.replace(", [12, 10]]", "]").replace(
        '[[scan.points]]\n"model.activity" = 0.3', ""
    )
    campaign.write_text(few)
    rows = scan(campaign, tmp_path / "out", workers=1, ranks=1, console=screen)
    assert "2 to run" in screen.file.getvalue()
    assert (tmp_path / "out" / "table.md").read_text() in screen.file.getvalue()  # no line is cut
    for point, means in rows:
        activity = means["activity"]
        assert activity.seeds == 2
        assert activity.value == pytest.approx(point.changes["model.activity"], rel=0.3)
    with h5py.File(tmp_path / "out" / "table.h5") as file:
        assert file["quantities/velocity_variance/value"].shape == (1,)
        assert np.all(file["quantities/velocity_variance/value"][()] > 0)
    assert (tmp_path / "out" / "figure.png").stat().st_size
    assert (tmp_path / "out" / "table.md").read_text().count("\n") == 3

    campaign.write_text(few.replace("[1, 2]", "[1]").replace("= 20.0", "= 30.0"))
    screen = Console(file=io.StringIO(), width=200)
    scan(campaign, tmp_path / "out", workers=1, ranks=1, console=screen)
    with h5py.File(tmp_path / "out" / "runs" / "shape8x8-activity0.1-seed1" / "run.h5") as file:
        assert file["observables/activity/time"][-1] == 30
    assert "1 to run" in screen.file.getvalue()

    def measure_again(wanted, workers):
        assert not wanted
        return []

    monkeypatch.setattr("epmpi.campaign.memory.measure_quantities", measure_again)
    before = (tmp_path / "out" / "table.md").read_text()
    scan(campaign, tmp_path / "out", workers=1, ranks=1, console=screen)
    assert (tmp_path / "out" / "table.md").read_text() == before


def test_another_run_is_not_taken_for_this_one(tmp_path):
    settings = {"lattice": {"shape": [8, 8]}, "time": {"warmup": 0.0, "duration": 1.0}}
    job = Job("a", from_mapping({**settings, "tracers": {"number": 4}}))
    assert stored(tmp_path / "a") is None
    carry_out([job], tmp_path, workers=1)
    assert stored(tmp_path / "a") == (job.configuration, True)
    other = Job("a", from_mapping({**settings, "tracers": {"number": 5}}))
    with pytest.raises(ConfigError, match=r"tracers\.number"):
        carry_out([other], tmp_path, workers=1)


def test_a_run_that_fails_is_named(tmp_path):
    gone = {"lattice": {"shape": [8, 8]}, "initial": {"state": "nowhere/run.h5"}}
    with pytest.raises(ConfigError, match=r"b failed: see .*b\.log"):
        carry_out([Job("b", from_mapping({**gone, "tracers": {"number": 4}}))], tmp_path, workers=1)


def test_averages_over_seeds():
    values = [{"a": (1.0, 0.1)}, {"a": (3.0, 0.1)}, {"a": (float("nan"), 0.1)}]
    mean = mean_over_seeds(values)["a"]
    assert (mean.value, mean.seeds) == (2, 2)
    assert mean.error == pytest.approx(0.1 / 2**0.5)  # two seeds say little of their spread
    many = mean_over_seeds([{"a": (value, 0.1)} for value in (1.0, 2.0, 3.0, 4.0, 5.0)])["a"]
    assert many.error == pytest.approx(1.14 * (2.5 / 5) ** 0.5, rel=0.01)  # Student's factor of 5
    assert mean_over_seeds(values[:1])["a"].error == 0.1
    assert mean_over_seeds(values[2:])["a"].seeds == 0
