"""What HDF5 would not come to an end with is refused before it is opened, the rest is opened."""

import h5py
import numpy as np
import pytest
from run_files import write_run

from epmpi.trust import check_file, open_item

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
        (16, bytes(512), "has a damaged list of sources"),
        (24, (2**64 - 24).to_bytes(8, "little"), "has a damaged list of sources"),
        (24, (2**63).to_bytes(8, "little"), "has a damaged list of sources"),
        (33, (2**24).to_bytes(8, "little"), "claims more sources than there are"),
        (8, (2**25).to_bytes(8, "little"), "beyond the end of the file"),
        (8, (2**60).to_bytes(8, "little"), "a header or a heap of 1152921504606846976 bytes"),
        (0, b"gone", "has no list of sources"),
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
    data = (run / name).read_bytes()
    # The heap of the sources is the last: dimension scales have theirs before.
    overwrite(run / name, data.rindex(b"GCOL") + 16, bytes(512))
    done = launch("-m", "epmpi.cli", command, "run", cwd=tmp_path, timeout=120.0)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "header has a damaged list of sources" in done.stderr
