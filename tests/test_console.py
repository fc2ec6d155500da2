"""Lost messages stop no run; the loss of printed results is reported."""

import io
import os
import subprocess
import sys

import launching
import pytest

from epmpi.host.console import Forgiving, forgiving
from epmpi.run.progress import RunProgress

SMALL = ["--set", "lattice.shape=[16,12]", "--set", "time.warmup=0", "--set", "time.duration=2"]


def closed_pipe():
    read, write = os.pipe()
    os.close(read)
    return open(write, "w", encoding="utf-8")


def full_disk():
    return open("/dev/full", "w", encoding="utf-8")


def lost_terminal():
    """Return the end of a terminal whose other end is closed: writing fails with EIO."""
    ours, theirs = os.openpty()
    os.close(ours)
    return open(theirs, "w", encoding="utf-8")


def closed_file():
    stream = io.StringIO()
    stream.close()
    return stream


GONE = [closed_pipe, full_disk, lost_terminal, closed_file, lambda: None]


@pytest.mark.parametrize("gone", GONE)
def test_what_cannot_be_written_is_lost_in_silence(gone):
    stream = Forgiving(gone())
    for _ in range(3):
        assert stream.write("word\n") == 5
        stream.flush()
    assert not stream.isatty()
    stream.leave()
    stream.flush()  # what Python does at its end


@pytest.mark.parametrize("gone", GONE)
def test_progress_goes_on_where_nobody_listens(gone):
    with RunProgress("{:g} steps/s".format, stream=gone()) as said:
        said.expect(3)
        said.begin(0, 1)
        for step in range(1, 4):
            said.update(step, "measure", 0.1)


def test_only_what_somebody_may_read_counts_as_lost():
    for gone, lost in ((full_disk, True), (lost_terminal, True), (closed_pipe, False)):
        stream = Forgiving(gone())
        stream.write("word\n")
        stream.flush()
        assert bool(stream.lost) is lost
        stream.leave()


def test_streams_come_back():
    before = sys.stdout, sys.stderr
    with forgiving():
        assert isinstance(sys.stdout, Forgiving)
    assert (sys.stdout, sys.stderr) == before


CLOSED = """
import os, sys
from pathlib import Path
from epmpi.host.console import forgiving
os.close(2)
sys.stderr = None
with forgiving():
    file = open(sys.argv[1], "wb")
    os.write(2, b"a library's own words")
print(file.fileno())
"""


def test_no_file_takes_the_number_of_a_closed_descriptor(launch, tmp_path):
    """Else what a library says on standard error would be written into run.h5."""
    done = launch("-c", CLOSED, tmp_path / "file")
    assert done.returncode == 0
    assert int(done.stdout) > 2
    assert (tmp_path / "file").read_bytes() == b""


def started(arguments, folder, **streams):
    command = launching.python("-m", "epmpi.cli", *arguments)
    return subprocess.run(
        command, cwd=folder, env=launching.environment(), check=False, timeout=240, **streams
    )


@pytest.mark.parametrize("gone", [closed_pipe, full_disk])
def test_a_run_that_nobody_hears_comes_to_its_end(tmp_path, gone):
    (tmp_path / "small.toml").write_text("[tracers]\nnumber = 10\n")
    with open(os.devnull) as nothing:
        stream = gone()
        done = started(
            ["run", "small.toml", "-o", "run", *SMALL], tmp_path,
            stdin=nothing, stdout=stream, stderr=stream,
        )  # fmt: skip
    assert done.returncode == 0
    assert (tmp_path / "run" / "checkpoint.h5").exists()
    Forgiving(stream).leave()


def test_what_is_printed_and_not_kept_is_reported_to_be_lost(tmp_path):
    """A script cut short would be taken for a whole one; who closes a pipe means it."""
    for gone, code, said in (
        (full_disk, 74, b"epmpi: cannot write standard output: No space left on device\n"),
        (closed_pipe, 0, b""),
    ):
        stream = gone()
        done = started(["completion", "bash"], tmp_path, stdout=stream, stderr=subprocess.PIPE)
        assert (done.returncode, done.stderr) == (code, said)
        Forgiving(stream).leave()
