"""Objects on which HDF5 would loop are refused before they are opened, others are opened."""

import shutil

import h5py
import numpy as np
import pytest
from run_files import write_run

from epmpi.config import ConfigError, from_mapping
from epmpi.run.simulation import Simulation
from epmpi.trust import check_file, open_item, run_files

SOURCES = ("segments/000000.h5", "segments/000001.h5")


def virtual_file(path, libver=("v110", "v110"), **options):
    """Write a file with a virtual dataset of two sources, and return the place of its heap."""
    layout = h5py.VirtualLayout((4, 3), np.float64)
    for part, source in enumerate(SOURCES):
        layout[2 * part : 2 * part + 2] = h5py.VirtualSource(source, "/value", shape=(2, 3))
    with h5py.File(path, "w", libver=libver, **options) as file:
        file.create_virtual_dataset("value", layout)
    return path.read_bytes().index(b"GCOL")


def overwrite(path, at, data):
    """Change bytes of a file."""
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


@pytest.mark.parametrize(
    "options",
    [{}, {"libver": "earliest"}, {"libver": "latest"}, {"userblock_size": 512}],
    ids=["ours", "first format", "latest format", "user block"],
)
def test_a_good_virtual_dataset_is_opened(tmp_path, options):
    virtual_file(tmp_path / "a.h5", **options)
    with h5py.File(tmp_path / "a.h5") as file:
        opened = open_item(file, "value")
        assert opened.is_virtual
        assert [source.file_name for source in opened.virtual_sources()] == list(SOURCES)


def test_everything_of_a_file_in_the_first_format_is_opened(tmp_path):
    """With so many attributes and links that headers and groups go over several blocks."""
    with h5py.File(tmp_path / "a.h5", "w", libver="earliest") as file:
        for count in range(100):
            file.create_dataset(f"a/{count}", data=[count]).attrs["name"] = "x" * 100
        for count in range(50):
            file["a/7"].attrs[f"more{count}"] = "y" * 50
    with h5py.File(tmp_path / "a.h5") as file:
        assert check_file(file) == []
        assert [open_item(file["a"], str(count))[0] for count in range(100)] == list(range(100))


@pytest.mark.parametrize(
    ("at", "data", "message"),
    [
        (16, bytes(512), "has a damaged global heap"),
        (24, (2**64 - 24).to_bytes(8, "little"), "has a damaged global heap"),
        (24, (2**63).to_bytes(8, "little"), "has a damaged global heap"),
        (33, (2**24).to_bytes(8, "little"), "claims more sources than there are"),
        (8, (2**25).to_bytes(8, "little"), "beyond the end of the file"),
        (8, (2**60).to_bytes(8, "little"), "a header or a heap of 1152921504606846976 bytes"),
        (0, b"gone", "has no global heap where one should be"),
    ],
    ids=["zeros", "size wraps", "size too large", "many sources", "short", "vast", "no heap"],
)
def test_a_damaged_list_of_sources_is_refused(tmp_path, at, data, message):
    overwrite(tmp_path / "a.h5", virtual_file(tmp_path / "a.h5") + at, data)
    with h5py.File(tmp_path / "a.h5") as file, pytest.raises(ValueError, match=message):
        open_item(file, "value")


def test_links_and_names_without_a_link_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["soft"], file["outside"] = h5py.SoftLink("/"), h5py.ExternalLink("b.h5", "/")
        for name in ("soft", "outside"):
            with pytest.raises(ValueError, match="is a link"):
                open_item(file, name)
        with pytest.raises(KeyError):
            open_item(file, "nothing")


def zero_the_heap(path):
    """Let the last global heap of a file be zeros."""
    overwrite(path, path.read_bytes().rindex(b"GCOL") + 16, bytes(512))


@pytest.mark.parametrize("small", [2**26, 0], ids=["small", "large"])
def test_an_attribute_that_hdf5_would_read_without_end_is_refused(tmp_path, monkeypatch, small):
    """In a small file its heap is found; a large one has no such attribute if it is of ours."""
    monkeypatch.setattr(run_files, "SMALL", small)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_group("parameters").attrs["configuration"] = "text"
    zero_the_heap(tmp_path / "a.h5")
    with (
        h5py.File(tmp_path / "a.h5") as file,
        pytest.raises(ValueError, match=r"damaged global heap|neither number nor plain text"),
    ):
        check_file(file)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Give a short run with tracers and fields."""
    configuration = from_mapping(
        {
            "lattice": {"shape": [12, 10]},
            "tracers": {"number": 9},
            "time": {"warmup": 0.5, "duration": 1.0},
            "output": {"series_every": 0.5, "trajectory_every": 0.5, "fields_every": 0.5},
        }
    )
    return Simulation(configuration).run(tmp_path_factory.mktemp("run") / "a", progress=False)


@pytest.mark.parametrize("small", [2**26, 0], ids=["small", "large"])
def test_our_own_files_are_good(run, monkeypatch, small):
    monkeypatch.setattr(run_files, "SMALL", small)
    with h5py.File(run / "run.h5") as file:
        assert check_file(file) == []


@pytest.mark.parametrize("what", ["heap", "attributes"])
def test_a_run_with_damage_that_only_a_restart_meets_is_not_resumed(run, tmp_path, what):
    """It attaches the scales anew: their heap, and all attributes of the parameters."""
    broken = tmp_path / "broken"
    shutil.copytree(run, broken)
    data = (broken / "run.h5").read_bytes()
    if what == "heap":
        overwrite(broken / "run.h5", data.index(b"GCOL") + 16, bytes(512))
    else:  # the index of attributes that stand outside of the header, with a checksum
        overwrite(broken / "run.h5", data.rindex(b"BTLF") + 8, b"x")
    with pytest.raises(ConfigError, match="cannot be continued") as caught:
        Simulation.resume(broken, ["time.duration=2.0"]).run(progress=False)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("command", ["analyse", "watch", "export", "resume"])
def test_a_run_whose_list_of_sources_is_zeros_is_refused_by_every_command(
    launch, tmp_path, command
):
    """Each of them hung: in a process of its own, with a limit, so that it would be seen to."""
    run = write_run(tmp_path / "run")
    name = "checkpoint.h5" if command == "resume" else "run.h5"
    with h5py.File(run / name, "a", libver=("v110", "v110")) as file:
        layout = h5py.VirtualLayout((4,), np.float64)
        layout[:] = h5py.VirtualSource(SOURCES[0], "/header", shape=(4,))
        file.create_virtual_dataset("header", layout)
    zero_the_heap(run / name)
    done = launch("-m", "epmpi.cli", command, "run", cwd=tmp_path, timeout=120.0)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "has a damaged global heap" in done.stderr
