"""Programs that people use open what a run has left: each is tried itself."""

import csv
import importlib
import os
from importlib.util import find_spec
from xml.etree import ElementTree

import h5py
import MDAnalysis
import numpy as np
import pytest
import xarray

from epmpi import cli
from epmpi.analysis import AnalysisError, RunFile
from epmpi.config import ConfigError, from_mapping
from epmpi.output import segments
from epmpi.output.export import export
from epmpi.run.simulation import Simulation
from epmpi.run.stopping import Decision, Pace

exporting = importlib.import_module("epmpi.output.export")  # its function has the name too
SHAPE, TRACERS = (12, 10), 17


def made(directory, monkeypatch, copied=10**9, **output):
    """Return a finished run; with copied = 0, one of several segments."""
    monkeypatch.setattr(segments, "COPIED", copied)
    configuration = from_mapping(
        {
            "lattice": {"shape": SHAPE},
            "model": {"temperature": 0.3},
            "tracers": {"number": TRACERS},
            "time": {"warmup": 1.0, "duration": 4.0},
            "output": {"series_every": 0.5, "trajectory_every": 0.5, "fields_every": 1.0, **output},
        }
    )
    if copied == 0:
        monkeypatch.setattr(Pace, "decide", publish_often)
    Simulation(configuration).run(directory, progress=False)
    return directory


def publish_often(self, now):
    return Decision("", False, now % 30 == 0, now + 1)


@pytest.fixture(params=[10**9, 0], ids=["one file", "segments"])
def run(request, tmp_path, monkeypatch):
    return made(tmp_path / "run", monkeypatch, request.param)


def test_mdanalysis_reads_the_trajectory(run):
    universe = MDAnalysis.Universe.empty(TRACERS, trajectory=True)
    universe.load_new(str(run / "run.h5"), format="H5MD", convert_units=False)
    with h5py.File(run / "run.h5") as file:
        position = file["particles/tracers/position/value"][()]
        time = file["particles/tracers/position/time"][()]
        activity = file["observables/activity/value"][()]
    assert universe.trajectory.n_frames == len(time) == 9
    for frame, step in enumerate(universe.trajectory):
        assert np.allclose(step.positions, position[frame], atol=1e-5)
        assert step.time == time[frame]
        assert step.data["activity"] == activity[frame]  # sampled at the same times
        assert list(step.dimensions) == [*SHAPE, 1, 90, 90, 90]


def test_mdanalysis_reads_the_view_where_series_have_another_interval(tmp_path, monkeypatch):
    run = made(tmp_path / "run", monkeypatch, series_every=2.0)
    export(run)
    universe = MDAnalysis.Universe.empty(TRACERS, trajectory=True)
    universe.load_new(str(run / "export" / "tracers.h5md"), format="H5MD", convert_units=False)
    times = [step.time for step in universe.trajectory]
    assert times == [0.5 * frame for frame in range(9)]
    assert "activity" not in universe.trajectory.ts.data


def test_xarray_opens_series_and_fields(run):
    path = run / "run.h5"
    with xarray.open_dataset(path, group="observables/activity", engine="h5netcdf") as series:
        assert series.value.dims == ("time",)
        assert series.time.values[1] == 0.5
        assert series.value.attrs["units"] == "1"
        assert series.time.attrs["units"] == "tau"
        mean = float(series.value.sel(time=slice(1, 2)).mean())
    with xarray.open_dataset(path, group="fields/stress", engine="h5netcdf") as stress:
        assert stress.value.dims == ("time", "x", "y")
        assert stress.value.shape == (5, *SHAPE)
        assert stress.value.attrs["units"] == "yield stress"
        assert float(stress.value.sel(time=2.0, x=3, y=4)) == stress.value.values[2, 3, 4]
    with xarray.open_dataset(path, group="fields", engine="h5netcdf") as fields:
        assert list(fields.x.values) == list(range(SHAPE[0]))
    with h5py.File(path) as file:
        assert mean == pytest.approx(np.mean(file["observables/activity/value"][2:5]))


def test_xarray_opens_tracers_and_histograms(tmp_path, monkeypatch):
    run = made(tmp_path / "run", monkeypatch, waiting_times_every=2.0) / "run.h5"
    dims = {
        "particles/tracers/position": ("time", "tracer", "axis"),
        "particles/tracers/box/edges": ("time", "axis"),
        "histograms/waiting_times": ("time", "bin"),
    }
    for group, expected in dims.items():
        with xarray.open_dataset(run, group=group, engine="h5netcdf") as data:
            assert data.value.dims == expected
    with xarray.open_dataset(run, group="particles/tracers/position", engine="h5netcdf") as data:
        with h5py.File(run) as file:
            second = file["particles/tracers/position/value"][1, 3]
        assert np.array_equal(data.value.sel(time=0.5, tracer=3).values, second)


def test_xarray_opens_a_run_as_a_whole(run):
    """Whatever has a value has a name for each of its dimensions."""
    with xarray.open_datatree(run / "run.h5", engine="h5netcdf") as tree:
        found = {group.path: group["value"].dims for group in tree.subtree if "value" in group}
    assert len(found) == 15
    assert found["/fields/stress"] == ("time", "x", "y")
    assert found["/warmup/observables/activity"] == ("time",)


def test_csv_holds_every_sample(run, tmp_path):
    made_files = export(run, tmp_path / "elsewhere")
    assert [path.name for path in made_files] == [
        "series.csv", "warmup.csv", "fields.xdmf", "mesh.h5", "mesh.xdmf", "tracers.h5md",
    ]  # fmt: skip
    with open(tmp_path / "elsewhere" / "series.csv", newline="") as text:
        rows = list(csv.DictReader(text))
    with h5py.File(run / "run.h5") as file:
        for name in ("activity", "stress_mean", "events"):
            values = file[f"observables/{name}/value"][()].tolist()
            assert [float(row[name]) for row in rows] == values
    assert rows[3]["time"] == "1.5"


def test_a_segment_that_a_restart_removed_while_it_was_read_is_reported(tmp_path, monkeypatch):
    """HDF5 gives zeros for what is not there."""
    run = made(tmp_path / "run", monkeypatch, copied=0)
    last = max((run / "segments").iterdir())
    with RunFile(run) as file:
        assert file.field("stress", -1).any()
        last.rename(tmp_path / "aside")
        for read in (lambda: file.series("activity"), lambda: file.field("stress", -1)):
            with pytest.raises(AnalysisError, match=r"h5 is gone: the run has been resumed"):
                read()
    (tmp_path / "aside").rename(last)
    tabulate = exporting.table

    def slow(*arguments):
        last.unlink(missing_ok=True)
        return tabulate(*arguments)

    monkeypatch.setattr(exporting, "table", slow)
    with pytest.raises(ConfigError, match=r"h5 is gone: the run has been resumed"):
        export(run)
    assert not (run / "export").exists()


def test_export_from_the_command_line(tmp_path, monkeypatch, capsys):
    run = made(tmp_path / "run", monkeypatch)
    assert cli.main(["export", str(run)]) == 0
    said = capsys.readouterr().out
    for name in ("series.csv", "warmup.csv", "fields.xdmf", "mesh.xdmf", "tracers.h5md"):
        assert (run / "export" / name).stat().st_size > 0
        assert str(run / "export" / name) in said
    assert cli.main(["export", str(tmp_path / "none")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def number_type(dtype):
    """Return how XDMF tells a type of numbers."""
    return {"f": "Float", "i": "Int"}[dtype.kind], str(dtype.itemsize)


@pytest.mark.parametrize("copied", [10**9, 0])
def test_the_mesh_has_what_its_text_says(tmp_path, monkeypatch, copied):
    """By the grammar that meshio reads: version 3, a data item each, whole datasets."""
    run = made(tmp_path / "run", monkeypatch, copied=copied)
    export(run)
    root = ElementTree.parse(run / "export" / "mesh.xdmf").getroot()
    assert (root.tag, root.get("Version")) == ("Xdmf", "3.0")
    [[collection]] = root
    assert (collection.get("GridType"), collection.get("CollectionType")) == (
        "Collection", "Temporal",
    )  # fmt: skip
    with h5py.File(run / "run.h5") as file, h5py.File(run / "export" / "mesh.h5") as mesh:
        assert len(collection) == len(file["fields/stress/time"])
        for frame, grid in enumerate(collection):
            assert grid.get("GridType") == "Uniform"
            assert float(grid.find("Time").get("Value")) == file["fields/stress/time"][frame]
            assert grid.find("Topology").get("TopologyType") == "Quadrilateral"
            assert grid.find("Geometry").get("GeometryType") == "XYZ"
            for part in (part for part in grid if part.tag != "Time"):
                [item] = part
                name, path = item.text.strip().split(":")
                assert (name, item.get("Format"), path[0]) == ("mesh.h5", "HDF", "/")
                data = mesh[path[1:]]
                assert tuple(map(int, item.get("Dimensions").split())) == data.shape
                assert (item.get("NumberType"), item.get("Precision")) == number_type(data.dtype)
            for attribute in grid.findall("Attribute"):
                assert attribute.get("Center") == "Cell"
                values = mesh[attribute[0].text.split(":")[1]][()]
                expected = file[f"fields/{attribute.get('Name')}/value"][frame]
                assert np.array_equal(values.reshape(SHAPE), expected)
        corners = mesh["points"][()][mesh["cells"][()]]
    assert np.array_equal(corners.mean(axis=1)[:, :2].reshape(*SHAPE, 2)[3, 4], [3, 4])
    sides = np.diff(corners[..., :2], axis=1, append=corners[:, :1, :2])
    assert (np.abs(sides).sum(axis=2) == 1).all()


def test_a_mesh_without_its_run_has_no_numbers(tmp_path, monkeypatch):
    """HDF5 gives something for what is not there: it must not be zeros."""
    run = made(tmp_path / "run", monkeypatch)
    export(run, tmp_path / "far" / "away")
    (tmp_path / "far").rename(tmp_path / "moved")
    run.rename(tmp_path / "moved too")
    with h5py.File(tmp_path / "moved" / "away" / "mesh.h5") as mesh:
        assert np.isnan(mesh["0/stress"][()]).all()
        assert (mesh["0/active"][()] == -128).all()


def test_meshio_reads_the_fields(run, tmp_path):
    meshio = pytest.importorskip("meshio")
    export(run, tmp_path / "export")
    with (
        meshio.xdmf.TimeSeriesReader(tmp_path / "export" / "mesh.xdmf") as reader,
        h5py.File(run / "run.h5") as file,
    ):
        points, cells = reader.read_points_cells()
        for frame in range(reader.num_steps):
            time, _, data = reader.read_data(frame)
            meshio.Mesh(points, cells, cell_data=data)
            assert time == file["fields/stress/time"][frame]
            assert np.array_equal(
                data["stress"][0].reshape(SHAPE), file["fields/stress/value"][frame]
            )


if find_spec("vtk"):  # of the second environment of the CI: half a gigabyte

    def test_vtk_reads_the_fields(run):
        import vtk
        from vtk.util.numpy_support import vtk_to_numpy

        export(run)
        reader = vtk.vtkXdmfReader()
        reader.SetFileName(str(run / "export" / "fields.xdmf"))
        reader.UpdateInformation()
        times = reader.GetOutputInformation(0).Get(
            vtk.vtkStreamingDemandDrivenPipeline.TIME_STEPS()
        )
        assert list(times) == [0.0, 1.0, 2.0, 3.0, 4.0]
        with h5py.File(run / "run.h5") as file:
            for frame, time in enumerate(times):
                reader.UpdateTimeStep(time)
                image = reader.GetOutputDataObject(0)
                assert image.GetDimensions() == (*SHAPE[::-1], 1)
                for name in ("stress", "plastic_strain", "active"):
                    values = vtk_to_numpy(image.GetPointData().GetArray(name))
                    expected = file[f"fields/{name}/value"][frame]
                    assert np.array_equal(values.reshape(SHAPE), expected)


def test_vtk_is_there_where_it_must_be():
    assert find_spec("vtk") or not os.environ.get("EPMPI_PARALLEL_HDF5")


@pytest.mark.parametrize("what", ["missing", "text", "elsewhere"])
def test_export_refuses_in_one_line(tmp_path, what):
    path = tmp_path / "run.h5"
    if what == "text":
        path.write_text("no HDF5")
    elif what == "elsewhere":
        with h5py.File(path, "w") as file:
            group = file.create_group("observables/activity")
            for name in ("step", "time", "value"):
                layout = h5py.VirtualLayout((3,), np.float64)
                layout[:] = h5py.VirtualSource("/etc/hostname", "x", shape=(3,))
                group.create_virtual_dataset(name, layout)
    with pytest.raises(ConfigError, match=r"run\.h5 (cannot be read|is not a run file)") as caught:
        export(path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "export").exists()
