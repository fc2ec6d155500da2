import itertools
from dataclasses import replace

import h5py
import matplotlib.image
import numpy as np
import pytest
from known_logs import log_of
from run_files import brownian

from epmpi.analysis import RunFile, measure
from epmpi.analysis.fields import Medium
from epmpi.analysis.figures import style
from epmpi.analysis.figures.diffusion import draw_diffusion
from epmpi.analysis.figures.flow import draw_flow, is_sheared, stress_strain
from epmpi.analysis.figures.panels import AVALANCHES, STATISTICS, draw_panels
from epmpi.analysis.figures.scattering import draw_structure_factor
from epmpi.analysis.figures.series import draw_series
from epmpi.analysis.figures.stress_map import Snapshot, draw_stress_map, read_snapshot, zoom
from epmpi.analysis.figures.trajectories import draw_trajectories
from epmpi.analysis.page import plain


@pytest.fixture(autouse=True)
def _coarse_pixels(monkeypatch):
    monkeypatch.setitem(style.STYLE, "savefig.dpi", 30)


def drawn(path):
    """Tell whether a PNG holds more than one colour."""
    pixels = matplotlib.image.imread(path)
    return pixels.ndim == 3 and len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 20


def test_figures_of_a_run(make_run, tmp_path, recwarn):
    position = brownian(120, 12, 0.05, seed=3)
    series = {"activity": np.linspace(0.01, 0.02, 5000)}
    with RunFile(make_run(position=position, series=series)) as run:
        found = measure(run)
        draw_series(
            tmp_path / "a.png", [run], found.averages, found.drifts, ""
        )  # no warm-up in the file
        draw_trajectories(tmp_path / "b.png", run, "")
    tracers = found.tracers
    draw_diffusion(
        tmp_path / "c.png", tracers.diffusion, tracers.exponent, tracers.windows, found.title
    )
    draw_structure_factor(tmp_path / "d.png", tracers.structure_factor, tracers.fits, found.title)
    assert all(drawn(tmp_path / f"{name}.png") for name in "abcd")
    assert [str(warning.message) for warning in recwarn] == []


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (1.7, 75.0, ["2", "5", "10", "20", "50"]),
        (30.0, 900.0, ["50", "100", "200", "500"]),
        (2.1, 5.6, ["3", "4", "5"]),
        (6e-7, 6e-5, ["10^{-6}", "10^{-5}"]),
        (2e-6, 1e-5, [r"$2\times10^{-6}$", r"$5\times10^{-6}$", r"$10^{-5}$"]),
        (0.5, 800.0, ["10^{0}", "10^{1}", "10^{2}"]),
    ],
)  # fmt: skip
def test_labels_of_a_logarithmic_axis_do_not_meet(tmp_path, low, high, labels):
    with style.drawing(tmp_path / "a.png", 4.6, 3.6) as figure:
        axes = figure.subplots()
        axes.set_xscale("log")
        axes.set_xlim(low, high)
    ticks = [*axes.xaxis.get_major_ticks(), *axes.xaxis.get_minor_ticks()]
    shown = [t.label1 for t in ticks if t.label1.get_text() and low <= t.get_loc() <= high]
    shown.sort(key=lambda label: label.get_position()[0])
    for label, expected in zip(shown, labels, strict=True):
        assert expected in label.get_text()
    extents = [label.get_window_extent() for label in shown]
    for left, right in itertools.pairwise(extents):
        assert left.x1 < right.x0


@pytest.mark.parametrize(("high", "width"), [(20800.0, 10.0), (17000.0, 9.0), (300.0, 10.0)])
def test_long_numbers_below_a_panel_do_not_meet(tmp_path, high, width):
    with style.drawing(tmp_path / "a.png", width, 5.4) as figure:
        axes, beside = figure.subplots(1, 2)
        for panel in (axes, beside):
            panel.set_xlim(0.0, high)
            panel.set_ylabel("activity")
    figure.draw_without_rendering()
    ticks = zip(axes.xaxis.get_majorticklabels(), axes.get_xticks(), strict=True)
    extents = [label.get_window_extent() for label, at in ticks if 0.0 <= at <= high]
    assert len(extents) >= 3
    for left, right in itertools.pairwise(extents):
        assert left.x1 + 2 < right.x0  # pixels


def test_avalanches_of_either_driver(make_run, tmp_path, recwarn):
    """Of the extremal one: three thresholds, with their laws, and P(x) with its power."""
    random = np.random.default_rng(3)
    start = np.arange(40000) + 1.0
    weakest = log_of(start, random.integers(0, 16 * 18, 40000), random.exponential(0.3, 40000))
    stress = 1 - random.random((20, 96, 96)) ** (1 / 1.5)
    model = {"activation": "extremal", "events": "instantaneous", "thresholds": "uniform"}
    pauses = np.cumsum(random.choice([0.1, 50.0], 8000, p=[0.9, 0.1]))
    thermal = log_of(pauses, random.integers(0, 16 * 18, 8000), random.random(8000))
    extremal = {"events": weakest, "fields": {"stress": stress}, "model": model}
    for name, settings, laws in (
        ("a", extremal | {"shape": (96, 96)}, 3),  # too few of mean size 1000 for a law
        ("b", {"events": thermal}, 1),
    ):
        with RunFile(make_run(**settings)) as run:
            found = measure(run)
        assert len(found.laws) >= laws
        draw_panels(tmp_path / f"{name}.png", AVALANCHES, found.curves, found.title, found.laws)
        assert drawn(tmp_path / f"{name}.png")
    assert [str(warning.message) for warning in recwarn] == []


def test_curves_without_a_point_are_left_out(make_run, tmp_path, recwarn):
    """P(x) where each site is beyond its threshold, and P(sigma) where no value is finite."""
    start = np.cumsum(np.random.default_rng(4).exponential(1.0, 500))
    model = {"activation": "extremal", "events": "instantaneous", "thresholds": "uniform"}
    weakest = log_of(start, np.arange(500) % (16 * 18), np.full(500, -0.5))
    beyond = {"events": weakest, "fields": {"stress": np.full((20, 16, 18), 2.0)}, "model": model}
    with RunFile(make_run(**beyond)) as run:
        found = measure(run)
    assert len(found.curves["distance_distribution"].x) == 0
    draw_panels(tmp_path / "a.png", AVALANCHES, found.curves, found.title, found.laws)
    lost = replace(found.curves["stress_distribution"], value=np.full(1, np.nan), x=np.ones(1))
    draw_panels(tmp_path / "b.png", STATISTICS, {"stress_distribution": lost}, found.title)
    assert drawn(tmp_path / "a.png")
    assert (tmp_path / "b.png").exists()
    assert [str(warning.message) for warning in recwarn] == []


def test_a_run_where_nothing_happens(make_run, tmp_path, recwarn):
    still = np.ones((60, 3, 2))
    fields = {"stress": np.zeros((1, 16, 24)), "active": np.zeros((1, 16, 24))}
    with RunFile(make_run(position=still, fields=fields)) as run:
        tracers = measure(run).tracers
        draw_trajectories(tmp_path / "a.png", run, "")
        draw_stress_map(tmp_path / "b.png", read_snapshot(run), Medium(), "")
    draw_diffusion(tmp_path / "c.png", tracers.diffusion, tracers.exponent, [], "")
    draw_structure_factor(tmp_path / "d.png", tracers.structure_factor, [], "")
    assert all(drawn(tmp_path / f"{name}.png") for name in "abcd")
    assert [str(warning.message) for warning in recwarn] == []


def test_stress_map_with_its_zoom(tmp_path):
    random = np.random.default_rng(4)
    active = np.zeros((20, 31))
    active[3, 5], active[12, 25] = 1, -1
    strain = random.normal(size=(20, 31))
    snapshot = Snapshot(random.normal(size=(20, 31)), 10.0, strain, 2.0, active)
    draw_stress_map(tmp_path / "map.png", snapshot, Medium(), "title")
    assert drawn(tmp_path / "map.png")


def test_the_zoom_stays_inside_and_prefers_few_events_apart():
    active = np.zeros((128, 96))
    crowd = np.random.default_rng(5).integers(0, 40, (120, 2))
    active[tuple(crowd.T)] = 1
    for site in ((90, 50), (90, 62), (100, 56), (104, 70)):
        active[site] = -1
    corner, side = zoom(active)
    inside = active[corner[0] : corner[0] + side, corner[1] : corner[1] + side]
    assert inside.shape == (side, side)
    assert np.count_nonzero(inside) <= 6
    lone = np.zeros((10, 30))
    lone[9, 29] = 1
    corner, side = zoom(lone)
    assert corner[0] + side <= 10
    assert corner[1] + side <= 30
    assert lone[corner[0] : corner[0] + side, corner[1] : corner[1] + side].any()


@pytest.mark.parametrize("rate", [0.1, -0.1])
@pytest.mark.parametrize("warm", [True, False])
def test_flow_of_a_sheared_run(make_run, tmp_path, recwarn, rate, warm):
    """The strain of the warm-up comes before; the curve ends at the strain of the end."""
    time = 0.5 * np.arange(400)
    whole = {"macroscopic_strain": rate * time, "stress_mean": np.sign(rate) * np.tanh(time / 10)}
    whole["activity"] = np.full(400, 0.1)
    first = 100 if warm else 0
    before = {name: values[:first] for name, values in whole.items()} if warm else {}
    run_path = make_run(
        series={name: values[first:] for name, values in whole.items()}, warmup=before
    )
    with h5py.File(run_path / "run.h5", "r+") as file:
        file["parameters/model"].attrs["strain_rate"] = rate
    with RunFile(run_path) as run:
        assert is_sheared(run)
        found = measure(run)
        draw_flow(tmp_path / "a.png", [run], found.averages["stress_mean"], found.title)
        draw_series(tmp_path / "b.png", [run], found.averages, found.drifts, found.title)
        assert stress_strain(run, True)[0].size == first
        strain, stress = stress_strain(run, False)
    assert (strain[0], strain[-1]) == (rate * time[first], rate * time[-1])
    assert stress[-1] == pytest.approx(np.sign(rate))
    assert rf"\dot\gamma = {rate:g}" in found.title
    assert plain(found.title).count("strain rate = ") == 1
    assert drawn(tmp_path / "a.png") and drawn(tmp_path / "b.png")
    height = {
        name: matplotlib.image.imread(tmp_path / name).shape[0] for name in ("a.png", "b.png")
    }
    assert height["b.png"] > height["a.png"]  # activity and mean stress, a panel each
    assert [str(warning.message) for warning in recwarn] == []


def test_a_run_that_is_not_sheared_has_no_flow(make_run):
    with RunFile(make_run(series={"stress_mean": np.zeros(9)})) as run:
        assert not is_sheared(run)
