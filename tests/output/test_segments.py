"""run.h5 at every instant: the files between any two operations can be read."""

import os
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest

from epmpi.output import h5md, segments
from epmpi.output.h5md import Element
from epmpi.output.segments import SegmentedFile

ACTIVITY = Element("observables/activity", (), np.dtype(np.float64))


def append(files: SegmentedFile, count: int) -> None:
    """Append `count` frames, numbered on."""
    frames = files.begin()
    start = frames.get(ACTIVITY, 0)
    with h5py.File(files.partial, "r+", libver=h5md.FORMAT) as file:
        if ACTIVITY not in frames:
            h5md.create(file, ACTIVITY)
        for dataset in file[ACTIVITY.path].values():
            dataset.resize(start + count, axis=0)
            dataset[start:] = first(files) + np.arange(count)
    files.publish({ACTIVITY: start + count})


def first(files: SegmentedFile) -> int:
    if not files.path.exists():
        return 0
    with h5py.File(files.path, "r") as file:
        return len(file[ACTIVITY.path]["value"])


def two_segments_cut(files: SegmentedFile) -> list[segments.Segment]:
    """Return segments of 3 and 4 frames, of which a checkpoint counts 3 and 2."""
    append(files, 3)
    append(files, 4)
    kept = [segments.Segment(part.path, dict(part.frames)) for part in files.published]
    kept[-1].frames[ACTIVITY] = 2
    return kept


def frames_seen(path: Path) -> int:
    """Return how many frames a reader sees, after checking that they are those written."""
    with h5py.File(path, "r") as file:
        group = file[ACTIVITY.path]
        for name in ("step", "time", "value"):
            assert np.array_equal(group[name][()], np.arange(len(group["step"])))
        return len(group["step"])


@pytest.fixture
def files(tmp_path) -> SegmentedFile:
    return SegmentedFile(tmp_path, lambda file: [])


def test_small_run_is_one_plain_file(files):
    for _ in range(5):
        append(files, 3)
    assert frames_seen(files.path) == 15
    assert os.listdir(files.directory) == ["run.h5"]
    with h5py.File(files.path, "r") as file:
        assert not file["observables/activity/value"].is_virtual


def test_segments_are_complete_files(files, monkeypatch):
    monkeypatch.setattr(segments, "COPIED", 0)
    for _ in range(3):
        append(files, 3)
    assert frames_seen(files.path) == 9
    with h5py.File(files.directory / "segments" / "000001.h5", "r") as file:
        assert list(file["observables/activity/value"]) == [3, 4, 5]


def test_small_last_segment_is_continued_under_its_name(files, monkeypatch):
    monkeypatch.setattr(segments, "COPIED", 0)
    append(files, 3)
    append(files, 3)
    monkeypatch.setattr(segments, "COPIED", 10**9)
    append(files, 3)
    append(files, 3)
    assert frames_seen(files.path) == 12
    names = sorted(os.listdir(files.directory / "segments"))
    assert names == ["000000.h5", "000001.h5"]


def test_a_slow_reader_reads_on_whatever_is_published_meanwhile(files, monkeypatch):
    """One opens run.h5 after each publication, and reads when all have been made."""
    readers = []
    for copied in (10**9, 10**9, 0, 0, 10**9, 10**9, 10**9, 0, 10**9):
        monkeypatch.setattr(segments, "COPIED", copied)
        append(files, 2)
        readers.append(h5py.File(files.path, "r"))
    assert len(os.listdir(files.directory / "segments")) == 4
    for count, reader in enumerate(readers, start=1):
        with reader:
            for name in ("step", "time", "value"):
                values = reader[f"{ACTIVITY.path}/{name}"][()]
                assert np.array_equal(values, np.arange(2 * count))


def test_a_resumed_run_gives_what_it_continues_a_new_name(files, monkeypatch):
    """Until its run.h5 is there, the old one refers to frames that it does not have."""
    monkeypatch.setattr(segments, "COPIED", 0)
    kept = two_segments_cut(files)
    resumed = SegmentedFile(files.directory, lambda file: [])
    resumed.resume(kept)
    monkeypatch.setattr(segments, "COPIED", 10**9)
    with h5py.File(files.path, "r") as reader, monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda path: None)  # as a kill there leaves them
        resumed.publish(resumed.begin())
        assert list(reader["observables/activity/value"]) == list(range(7))
    resumed.sweep()
    assert sorted(os.listdir(files.directory / "segments")) == ["000000.h5", "000002.h5"]
    append(resumed, 1)
    assert frames_seen(files.path) == 6
    assert sorted(os.listdir(files.directory / "segments")) == ["000000.h5", "000002.h5"]


def test_what_a_restart_cuts_off_a_segment_too_large_to_copy_is_not_seen(files, monkeypatch):
    monkeypatch.setattr(segments, "COPIED", 0)
    files.resume(two_segments_cut(files))
    files.begin()
    files.publish({})
    assert frames_seen(files.path) == 5
    append(files, 3)
    assert frames_seen(files.path) == 8


def test_without_links_the_first_segment_is_copied(files, monkeypatch):
    def refuse(*arguments):
        raise PermissionError("no links here")

    monkeypatch.setattr(segments, "COPIED", 0)
    monkeypatch.setattr(os, "link", refuse)
    append(files, 3)
    append(files, 3)
    assert frames_seen(files.path) == 6


@pytest.mark.parametrize("copied", [0, 10**9], ids=["segments", "one file"])
def test_every_instant_shows_the_last_publication(files, monkeypatch, copied):
    """Read run.h5 before and after each operation on the directory, as a kill would leave it."""
    monkeypatch.setattr(segments, "COPIED", copied)
    append(files, 2)
    seen, here = [], threading.get_ident()

    def watched(operation):
        def call(*arguments, **options):
            if threading.get_ident() != here:  # a sign of life of a lock that another test holds
                return operation(*arguments, **options)
            seen.append(frames_seen(files.path))
            result = operation(*arguments, **options)
            seen.append(frames_seen(files.path))
            return result

        return call

    for name in ("replace", "link", "fsync"):
        monkeypatch.setattr(os, name, watched(getattr(os, name)))
    monkeypatch.setattr(Path, "unlink", watched(Path.unlink))
    append(files, 1)
    append(files, 1)
    assert seen == sorted(seen)
    assert set(seen) == {2, 3, 4}
