import matplotlib.image
import numpy as np
import pytest
from run_files import brownian

from epmpi.analysis import RunFile, measure
from epmpi.analysis.fields import Medium
from epmpi.analysis.figures import (
    draw_diffusion,
    draw_series,
    draw_stress_map,
    draw_structure_factor,
    draw_trajectories,
    style,
)
from epmpi.analysis.figures.stress_map import Snapshot, read_snapshot, zoom


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
