"""Files of a run that another program has open for writing, or was killed with."""

import errno
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import h5py
import pytest
from same_runs import differences

from epmpi.campaign.quantities import Mean
from epmpi.campaign.tables import write_tables
from epmpi.cli import main
from epmpi.config import from_mapping
from epmpi.output import segments
from epmpi.run.simulation import Simulation
from epmpi.trust import HeldError, open_file
from epmpi.trust.foreign_writers import clear_mark, marked

SMALL = {
    "lattice": {"shape": [16, 12]},
    "tracers": {"number": 9},
    "time": {"warmup": 0.0, "duration": 4.0},
    "output": {"fields_every": 1.0, "trajectory_every": 1.0},
}
WRITER = """
import sys, h5py
file = h5py.File(sys.argv[1], "r+")
if "changes" in sys.argv:
    file.attrs["note"] = "mine"
    file.flush()
print("open", flush=True)
sys.stdin.read()
"""
FILES = ("run.h5", "checkpoint.h5", "segments/*")
READ = (["analyse"], ["watch", "--once"], ["export"])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the RUN of a run in two parts, with segments."""
    patch = pytest.MonkeyPatch()
    patch.setattr(segments, "COPIED", 0)
    run = tmp_path_factory.mktemp("runs") / "a"
    Simulation(from_mapping(SMALL)).run(run, progress=False)
    Simulation.resume(run, ["time.duration=8.0"]).run(progress=False)
    yield run
    patch.undo()


@pytest.fixture
def run(finished, tmp_path, monkeypatch):
    """Return a copy of it in the working directory."""
    monkeypatch.setattr(segments, "COPIED", 0)
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(finished, "run"))


@contextmanager
def writer(path, *options, locking="TRUE"):
    """Let another program have a file open for writing."""
    program = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), *options], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, env={"HDF5_USE_FILE_LOCKING": locking},
    )  # fmt: skip
    assert program.stdout.readline() == b"open\n"
    try:
        yield program
    finally:
        if program.returncode is None:
            program.kill()
            program.communicate()


def file_of(run, name):
    """Return the first file of a run of such a name."""
    return min(run.glob(name))


def leave_open(path, *options):
    """Let another program be killed while it has a file open for writing."""
    with writer(path, *options):
        pass
    assert marked(path)


@pytest.mark.parametrize("locking", ["TRUE", "FALSE"])
@pytest.mark.parametrize("name", FILES)
def test_who_has_a_file_open_for_writing_is_reported(run, capsys, name, locking):
    commands = [["resume"]] if name == "checkpoint.h5" else [["resume"], *READ]
    path = file_of(run, name)
    before = path.read_bytes()
    with writer(path, locking=locking) as program:
        held = path.read_bytes()
        for command in commands:
            assert main([*command, "run"]) == 2
            said = capsys.readouterr().err
            assert len(said.splitlines()) == 1
            assert f"{path.name} is open for writing in " in said
            assert f"(process {program.pid}): close it there" in said
        assert path.read_bytes() == held
        program.communicate()
    assert path.read_bytes() == before
    assert main(["resume", "run"]) == 0


@pytest.mark.parametrize("name", FILES)
def test_what_a_killed_program_had_open_is_reported_and_repaired_by_resume(
    run, finished, capsys, name
):
    path = file_of(run, name)
    leave_open(path)
    if name != "checkpoint.h5":
        for command in READ:
            assert main([*command, "run"]) == 2
            said = capsys.readouterr().err
            assert len(said.splitlines()) == 1
            assert "epmpi resume RUN clears the mark, or h5clear -s " in said
    assert main(["resume", "run"]) == 0
    said = capsys.readouterr().err
    assert f"a program that was killed had {path} open for writing: the mark" in said
    assert differences(finished, run) == []
    assert main(["analyse", "run"]) == 0


def test_a_repaired_run_goes_on_as_if_nothing_had_been(run, finished):
    other = Path(shutil.copytree(finished, "other"))
    for name in ("run.h5", "checkpoint.previous.h5", "segments/*"):
        leave_open(file_of(run, name), "changes")
    for path in (run, other):
        Simulation.resume(path, ["time.duration=10.0"]).run(progress=False)
    assert differences(other, run) == []


def test_what_the_program_has_changed_is_seen(run, capsys):
    """Frames that the checkpoint counts on are gone: the run is not gone on with, nor given up."""
    program = (
        f"import h5py, os; f = h5py.File('{file_of(run, 'segments/*')}', 'r+')\n"
        "for n in ('step', 'time', 'value'): f['observables/activity/' + n].resize(0, 0)\n"
        "f.flush(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program], check=False)
    assert main(["resume", "run"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert "lacks frames of " in said[-1]
    assert "begin another run from the state in its checkpoint (initial.state = 'run')" in said[-1]
    assert (run / "checkpoint.h5").exists()


def test_a_mark_is_left_where_its_program_may_live(run, monkeypatch):
    """On another machine, whose processes are not seen, it has the lock of the file."""
    monkeypatch.setattr("epmpi.trust.foreign_writers.writers", lambda path: "")
    path = run / "run.h5"
    with writer(path):
        held = path.read_bytes()
        with pytest.raises(HeldError, match="perhaps on another machine"):
            clear_mark(path)
        assert path.read_bytes() == held
    with pytest.raises(HeldError, match="runs on another machine"):
        open_file(path)
    assert clear_mark(path)
    assert not clear_mark(path)
    open_file(path).close()


def test_a_damaged_superblock_is_not_taken_for_a_mark(run):
    data = bytearray((run / "run.h5").read_bytes())
    data[11], data[20] = 1, data[20] ^ 1
    (run / "run.h5").write_bytes(data)
    assert not marked(run / "run.h5")
    assert not clear_mark(run / "run.h5")
    assert not marked(run / "absent.h5")
    with pytest.raises(OSError, match="checksum"):
        open_file(run / "run.h5")


def files_with_lock_error(number):
    """Return h5py.File on a file system where flock fails."""

    class File(h5py.File):
        def __init__(self, name, mode="r", *arguments, locking=None, **options):
            if locking is not False:
                why = f"unable to lock file, errno = {number}, error message = '...'"
                raise OSError(number, f"Unable to synchronously open file ({why})")
            super().__init__(name, mode, *arguments, locking=locking, **options)

    return File


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_where_no_file_can_be_locked_everything_is_read_and_written(run, monkeypatch, number):
    monkeypatch.setattr(h5py, "File", files_with_lock_error(number))
    for command in READ:
        assert main([*command, "run"]) == 0
    assert main(["resume", "run", "--set", "time.duration=9.0"]) == 0
    write_tables(Path(), [({"run.seed": 1}, {"activity": Mean(1.0, 0.1, 1)})], ["activity"], [])
    with open_file("run/analysis.h5") as file:
        assert "averages" in file


def test_the_lock_of_another_program_is_no_lack_of_locks(run, monkeypatch):
    monkeypatch.setattr(h5py, "File", files_with_lock_error(errno.EAGAIN))
    with pytest.raises(OSError, match="unable to lock file"):
        open_file(run / "run.h5")


def test_no_message_of_ours_advises_to_throw_a_run_away():
    source = Path(segments.__file__).parents[1]
    for path in source.rglob("*.py"):
        text = path.read_text()
        for advice in ("start the run again", "remove it first", "remove it to run it again"):
            assert advice not in text, path
