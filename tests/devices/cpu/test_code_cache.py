"""Compiled code on disk: kept where it can be, read where it is whole, never a reason to stop."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from epmpi.devices.cpu import code_cache
from epmpi.devices.cpu.code_cache import CodeFiles, folders

NAME, KEY, CODE = "loop-0123", ("loop", "float64"), b"machine code " * 100


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Return the folders that are tried, in their order."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "named"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    return list(folders())


@pytest.fixture
def files():
    """Return the files, and the list of what they tell."""
    files, said = CodeFiles("v1"), []
    files.tell = said.append
    return files, said


def test_the_order_of_the_places(places, tmp_path):
    uid = os.getuid()
    expected = ["named", "xdg/epmpi", "home/.cache/epmpi", f"temporary/epmpi-{uid}"]
    assert places == [tmp_path / name for name in expected]


def test_code_is_kept_in_the_first_place_and_read_from_any(places, files):
    files, said = files
    files.save(NAME, KEY, CODE)
    assert [path.name for path in (places[0] / "v1").iterdir()] == [NAME]
    places[2].mkdir(parents=True)
    (places[0] / "v1").rename(places[2] / "v1")
    assert files.load(NAME, KEY) == CODE
    assert files.load(NAME, ("loop", "float32")) is None
    assert said == []


def block(place: Path) -> None:
    """Put a file where a folder is wanted: for root too, nothing can be written below it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.touch()


@pytest.mark.parametrize("blocked", [1, 2, 3])
def test_a_place_that_cannot_be_written_to_gives_way_to_the_next(places, files, blocked):
    files, said = files
    for place in places[:blocked]:
        block(place)
    for _ in range(2):
        files.save(NAME, KEY, CODE)
    assert files.load(NAME, KEY) == CODE
    assert (places[blocked] / "v1" / NAME).exists()
    assert len(said) == 1
    assert str(places[0]) in said[0]
    assert said[0].endswith(f"it is kept in {places[blocked]}")


def test_without_a_place_everything_goes_on_and_one_line_says_so(places, files):
    files, said = files
    for place in places:
        block(place)
    for _ in range(2):
        files.save(NAME, KEY, CODE)
    assert files.load(NAME, KEY) is None
    assert len(said) == 1
    assert "set NUMBA_CACHE_DIR" in said[0]


def test_neither_a_home_nor_a_folder_for_temporary_files(monkeypatch, files):
    def nothing(*arguments):
        raise RuntimeError("Could not determine home directory.")

    def nowhere():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", nothing)
    monkeypatch.setattr("tempfile.gettempdir", nowhere)
    files, said = files
    files.save(NAME, KEY, CODE)
    assert files.load(NAME, KEY) is None
    assert len(said) == 1


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_nothing_behind(places, files, monkeypatch, reason):
    files, said = files
    replace = os.replace

    def full(source, target):
        if Path(target).is_relative_to(places[0]):
            raise OSError(reason, os.strerror(reason))
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    files.save(NAME, KEY, CODE)
    assert list((places[0] / "v1").iterdir()) == []
    assert files.load(NAME, KEY) == CODE
    assert os.strerror(reason) in said[0]


def damages(content: bytes):
    """Yield forms of a file that a crash, a disk or a stranger could leave."""
    for length in (0, 1, 31, 32, 33, len(content) // 2, len(content) - 1):
        yield content[:length]
    for at in (0, 31, 32, 40, len(content) // 2, len(content) - 1):
        yield content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    for rest in (b"", b"no pickle", b"cnowhere\nnothing\n."):
        yield code_cache.CHECKSUM(rest).digest() + rest


def test_a_damaged_file_is_dropped_and_made_again(places, files):
    files, _ = files
    files.save(NAME, KEY, CODE)
    path = places[0] / "v1" / NAME
    for content in damages(path.read_bytes()):
        path.write_bytes(content)
        assert files.load(NAME, KEY) is None
        assert not path.exists()
        files.save(NAME, KEY, CODE)
        assert files.load(NAME, KEY) == CODE


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_code_that_others_could_have_put_there_is_left_alone(places, files, mode):
    files, said = files
    for place in places[:-1]:
        block(place)
    files.save(NAME, KEY, CODE)
    assert files.load(NAME, KEY) == CODE
    places[-1].chmod(mode)
    assert files.load(NAME, KEY) is None
    files.save(NAME, KEY, CODE)
    assert "others may write to it" in said[-1]


def test_a_link_to_a_folder_of_others_is_left_alone(places, files, tmp_path):
    files, _ = files
    for place in places[:-1]:
        block(place)
    (tmp_path / "elsewhere").mkdir()
    places[-1].symlink_to(tmp_path / "elsewhere")
    files.save(NAME, KEY, CODE)
    assert list((tmp_path / "elsewhere").iterdir()) == []


LOOP = """
import sys
import numpy as np
from epmpi.devices.cpu.code_cache import FILES
from epmpi.devices.cpu.compiler import compiled

FILES.tell = lambda text: print(text, file=sys.stderr)

@compiled
def root(x):
    return np.sqrt(x)

@compiled
def total(values):
    sum = 0.0
    for value in values:
        sum += root(value)
    return sum

print(total(np.array([1.0, 4.0, 9.0])), sum(total.stats.cache_hits.values()))
"""


@pytest.fixture
def script(tmp_path):
    (tmp_path / "loop.py").write_text(LOOP)
    return tmp_path / "loop.py"


def test_a_second_process_compiles_nothing(launch, script, tmp_path):
    first, second = (launch(script, NUMBA_CACHE_DIR=str(tmp_path / "cache")) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert (first.stdout, second.stdout) == ("6.0 0\n", "6.0 1\n")
    assert first.stderr.count("compiling") == 1
    assert second.stderr == ""


def test_processes_that_compile_the_same_at_once_do_not_hinder_each_other(script, tmp_path):
    env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, str(script)]
    started = [
        subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(4)
    ]
    for process in started:
        assert process.communicate(timeout=240)[0].startswith(b"6.0 ")
    [folder] = (tmp_path / "cache").iterdir()
    assert sorted(path.name.split("-")[0] for path in folder.iterdir()) == ["root", "total"]


def test_code_of_another_processor_is_not_taken(script, launch, tmp_path):
    cache = str(tmp_path / "cache")
    launch(script, NUMBA_CACHE_DIR=cache)
    other = launch(script, NUMBA_CACHE_DIR=cache, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")
    assert other.stdout == "6.0 0\n", other.stderr
