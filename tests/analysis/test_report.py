import io
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from rich.console import Console
from run_files import brownian, write_run

from epmpi.analysis import AnalysisError, RunFile, analyse, measure, report, table
from epmpi.parallel import Communicator

FIGURES = {
    "series", "stress_map", "trajectories", "diffusion", "structure_factor", "statistics",
}  # fmt: skip


EDGES = np.geomspace(0.5, 1e4, 30)


@pytest.fixture
def content():
    """Give a run with everything, on a lattice that is not square."""
    random = np.random.default_rng(1)
    series = {
        "activity": 0.02 + 0.001 * random.normal(size=500),
        "stress_mean": 0.01 * random.normal(size=500),
        "stress_variance": 0.1 + 0.01 * random.normal(size=500),
    }
    active = np.zeros((20, 16, 24), dtype=np.int8)
    active[-1, 3, 5], active[-1, 12, 20] = 1, -1
    return {
        "shape": (16, 24),
        "position": brownian(200, 30, 0.05, seed=2),
        "series": series,
        "warmup": {name: values[:50] for name, values in series.items()},
        "fields": {
            "stress": random.normal(size=(20, 16, 24)),
            "plastic_strain": np.cumsum(random.normal(size=(20, 16, 24)), axis=0),
            "active": active,
        },
        "waiting_times": (EDGES, np.cumsum(random.poisson(9, (9, EDGES.size - 1)), axis=0)),
    }


@pytest.fixture
def sketched(monkeypatch):
    """Write a word in place of each figure: what is drawn is tested, not how."""
    for name in (FIGURES - {"statistics"}) | {"panels"}:
        monkeypatch.setattr(
            report, f"draw_{name}", lambda png, *content: png.write_text("a figure")
        )


@pytest.mark.parametrize("width", [40, 80])
def test_remarks_are_whole_lines(monkeypatch, width):
    """On any screen: it folds them itself."""
    monkeypatch.setattr(table, "tables", lambda analysis: ())
    words = " ".join(["a remark that is wider than the screen"] * 3)
    analysis = SimpleNamespace(
        remarks=[words], missing=[words], numbers="RUN/analysis.h5", figures=[], page=None
    )
    screen = Console(file=io.StringIO(), width=width)
    table.print_analysis(screen, analysis)
    expected = [f"remark: {words}", f"missing: {words}", "wrote RUN/analysis.h5"]
    assert screen.file.getvalue().splitlines() == expected


def names(analysis):
    assert all(figure.stat().st_size for figure in analysis.figures)
    return {figure.stem for figure in analysis.figures}


def test_a_whole_run(make_run, content, sketched):
    path = make_run(**content)
    before = (path / "run.h5").read_bytes()
    screen = Console(file=io.StringIO(), width=80)
    (analysis,) = analyse(path, console=screen)
    assert (path / "run.h5").read_bytes() == before
    assert names(analysis) == FIGURES
    assert analysis.missing == ()
    activity = analysis.averages["activity"]
    assert activity.value == pytest.approx(0.02, abs=4 * activity.error)
    text = screen.file.getvalue()
    for word in ("activity a", "stress variance", "D(t)", "analysis.h5", "structure_factor.png"):
        assert word in text
    assert "missing" not in text


def test_numbers_carry_errors_units_and_definitions(make_run, content, sketched):
    (analysis,) = analyse(make_run(**content))
    with h5py.File(analysis.numbers) as file:
        assert "68.3" in file.attrs["error_method"]
        assert file["source"].attrs["run"] == "run"
        assert file["source/parameters"].attrs["seed"] == 7
        assert file["averages/activity/value"][()] == pytest.approx(0.02, rel=0.01)
        assert file["averages/activity/error"].attrs["unit"] == "1"
        diffusion = file["diffusion"]
        assert "4 t" in diffusion.attrs["definition"]
        for name in ("coefficient", "coefficient_error", "local_exponent", "origins"):
            assert diffusion[name].shape == diffusion["lag"].shape
        factor = file["structure_factor"]
        shape = factor["q"].size, factor["lag"].size
        assert factor["value"].shape == factor["value_error"].shape == shape
        assert factor.attrs["floor"] == pytest.approx(1 / 60)
        curves = file["curves"]
        assert {"unit_displacement", "chi_4", "stress_correlation", "waiting_times"} <= set(curves)
        assert "0.5 lattice" in curves["overlap"].attrs["definition"]
        assert curves["waiting_times/value_error"].attrs["unit"] == "1/tau"
        assert len(factor["wavevectors"]) == factor["q"].size
        without = []
        file.visititems(
            lambda name, item: (
                without.append(name)
                if isinstance(item, h5py.Dataset) and "unit" not in item.attrs
                else None
            )
        )
        assert without == []


@pytest.mark.parametrize(
    ("dropped", "left", "words"),
    [
        ("position", FIGURES - {"trajectories", "diffusion", "structure_factor"}, "no trajectory"),
        ("waiting_times", FIGURES, "no waiting times"),
        ("fields", FIGURES - {"stress_map"}, "no fields"),
        ("series", FIGURES - {"series"}, "no series of activity"),
        ("warmup", FIGURES, ""),
    ],
)
def test_what_a_run_lacks_is_said(make_run, content, sketched, dropped, left, words):
    del content[dropped]
    screen = Console(file=io.StringIO(), width=100)
    (analysis,) = analyse(make_run(**content), console=screen)
    assert names(analysis) == left
    assert words in " ".join(analysis.missing)
    assert words in screen.file.getvalue()


def test_a_still_and_short_run(make_run, sketched):
    path = make_run(
        position=np.ones((4, 3, 2)),
        series={"activity": np.zeros(3)},
        fields={"stress": np.zeros((1, 16, 24)), "active": np.zeros((1, 16, 24))},
    )
    (analysis,) = analyse(path)
    assert analysis.tracers is None
    assert any("frames" in line for line in analysis.missing)
    assert names(analysis) == {"series", "stress_map", "trajectories"}


def test_tracers_that_never_move(make_run, sketched):
    (analysis,) = analyse(make_run(position=np.ones((60, 3, 2))))
    assert analysis.tracers is not None
    np.testing.assert_array_equal(analysis.tracers.diffusion.coefficient, 0)
    assert analysis.tracers.windows == []


def test_several_runs_go_to_a_directory_each(make_run, tmp_path, sketched):
    few = {"activity": np.linspace(0.01, 0.03, 200)}
    runs = [make_run(name, series=few) for name in ("hot", "cold")]
    analyses = analyse(runs, tmp_path / "out")
    assert [analysis.name for analysis in analyses] == ["hot", "cold"]
    assert (tmp_path / "out" / "hot" / "analysis.h5").is_file()
    assert (tmp_path / "out" / "cold" / "series.png").is_file()


def test_refusals_are_one_line(make_run, tmp_path):
    run = make_run(series={"activity": np.linspace(0.01, 0.03, 200)})
    (tmp_path / "occupied").write_text("a file")
    cases = SimpleNamespace(
        none=([], None),
        twice=([run, run], None),
        absent=([tmp_path / "nowhere"], None),
        occupied=([run], tmp_path / "occupied"),
    )
    for paths, output in vars(cases).values():
        with pytest.raises(AnalysisError) as caught:
            analyse(paths, output)
        assert len(str(caught.value).splitlines()) == 1
    assert not (run / "analysis.h5").exists()


@pytest.mark.mpi
def test_ranks_share_the_work(comm, shared_tmp_path, content, sketched):
    communicator = Communicator(comm)
    if communicator.is_root:
        write_run(shared_tmp_path / "run", **content)
    communicator.barrier()
    (analysis,) = analyse(
        shared_tmp_path / "run", shared_tmp_path / "out", communicator=communicator
    )
    with RunFile(shared_tmp_path / "run") as run:
        alone = measure(run)
    assert analysis.curves.keys() == alone.curves.keys()
    for name, curve in alone.curves.items():
        np.testing.assert_allclose(analysis.curves[name].value, curve.value, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(
        analysis.tracers.structure_factor.value, alone.tracers.structure_factor.value, rtol=1e-10
    )
    np.testing.assert_allclose(
        analysis.tracers.diffusion.coefficient_error,
        alone.tracers.diffusion.coefficient_error,
        rtol=1e-6,
    )
    assert (shared_tmp_path / "out" / "analysis.h5").is_file()


@pytest.mark.mpi
def test_all_ranks_refuse_alike(comm, shared_tmp_path, content, sketched):
    communicator = Communicator(comm)
    if communicator.is_root:
        content["position"][100, 0] = np.nan
        write_run(shared_tmp_path / "run", **content)
    communicator.barrier()
    with pytest.raises(AnalysisError, match="not finite"):
        analyse(shared_tmp_path / "run", communicator=communicator)
