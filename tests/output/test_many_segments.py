"""A run of many segments: bounded in number, read under any limit of open files, or refused."""

import math

import h5py
import numpy as np
import pytest

from epmpi.analysis import RunFile
from epmpi.config import from_mapping
from epmpi.output import open_run, segments
from epmpi.output.export import export
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice

SHAPE = (12, 10)
LIMITED = """
import resource, sys
from epmpi.cli import main
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
sys.exit(main(sys.argv[3:]))
"""


def written(path, publications, frames=1):
    """Return the RUN of a run with so many publications, each with frames of a field."""
    settings = {"lattice": {"shape": SHAPE}, "tracers": {"number": 0}}
    settings |= {"output": {"trajectory_every": 0.0, "fields_every": 0.5}}
    store = open_run(path, from_mapping(settings), Communicator.world(), Lattice(SHAPE), {})
    step = 0
    with store:
        for _ in range(publications):
            for _ in range(frames):
                step += 1
                store.fields(step, 0.5 * step, {"stress": np.full(SHAPE, 1.0 * step)})
                store.series(step, 0.5 * step, {"activity": 0.1})
            store.publish()
    return path


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Return a RUN of 50 segments, not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "COPIED", 0)
        patch.setattr(segments, "PARTS", 10**9)
        run = written(tmp_path_factory.mktemp("many") / "run", 50)
    assert len(list((run / "segments").iterdir())) >= 50
    return run


def test_the_number_of_segments_is_bounded(tmp_path, monkeypatch):
    """None is copied except for the growth: one part in 4, as in a longer run one in 32."""
    monkeypatch.setattr(segments, "COPIED", 0)
    monkeypatch.setattr(segments, "PARTS", 4)
    run = written(tmp_path / "run", 100)
    files = list((run / "segments").iterdir())
    total = sum(path.stat().st_size for path in files)
    smallest = min(path.stat().st_size for path in files)
    assert 4 < len(files) <= 4 * (1 + math.log(total / smallest / 4)) + 1
    with RunFile(run) as file:
        assert np.array_equal(file.clock("fields/stress").step, np.arange(1, 101))
        assert (file.field("stress", 49) == 50).all()


@pytest.mark.parametrize("command", ["export", pytest.param("analyse", marks=pytest.mark.ci)])
def test_the_soft_limit_of_open_files_is_raised(launch, many, tmp_path, command):
    done = launch("-c", LIMITED, "40", "4096", command, many, "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    if command == "export":
        with open(tmp_path / "series.csv", encoding="utf-8") as text:
            assert [line.split(",")[0] for line in text][1:] == [str(n) for n in range(1, 51)]


@pytest.mark.parametrize(
    "command",
    ["export", *(pytest.param(name, marks=pytest.mark.ci) for name in ("analyse", "watch"))],
)
def test_a_hard_limit_that_is_too_low_is_named(launch, many, command):
    """HDF5 alone reads zeros there, in silence."""
    options = ["--once"] if command == "watch" else []
    done = launch("-c", LIMITED, "40", "40", command, many, *options)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "segments, and at most 40 files may be open: raise the hard limit to" in line
    assert "damaged" not in line
    assert not (many / "export").exists()


def test_what_hdf5_does_under_a_limit(launch, many):
    """If this fails, HDF5 tells of it by now, and what is done here can be less."""
    program = (
        "import h5py, resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))\n"
        "with h5py.File(sys.argv[1]) as file:\n"
        "    print((file['fields/stress/step'][()] == 0).sum())\n"
    )
    assert int(launch("-c", program, many / "run.h5").stdout) > 0


def test_an_export_reads_a_dataset_once_however_many_frames_there_are(tmp_path, monkeypatch):
    monkeypatch.setattr(segments, "COPIED", 0)
    reads = []
    original = h5py.Dataset.__getitem__

    def counted(dataset, *arguments, **options):
        reads.append(dataset.name)
        return original(dataset, *arguments, **options)

    monkeypatch.setattr(h5py.Dataset, "__getitem__", counted)
    counts = []
    for frames in (1, 8):
        run = written(tmp_path / f"run{frames}", 5, frames)
        reads.clear()
        export(run)
        counts.append(len(reads))
    assert counts[0] == counts[1] == len(set(reads))
