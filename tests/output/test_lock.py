"""One run at a time in a directory, also where locks do not work; only while it is the run's."""

import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from epmpi.config import ConfigError
from epmpi.output import OutputError, lock
from epmpi.output.holder import Holder
from epmpi.output.lock import RunLock


def no_operation(file, how):
    pass


def not_there(file, how):
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


def none_available(file, how):
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


WITHOUT_LOCKS = pytest.mark.parametrize("flock", [no_operation, not_there, none_available])


@pytest.fixture
def quick(monkeypatch):
    """Let holders on other machines be waited for half a second only."""
    monkeypatch.setattr(lock, "SILENT", 0.5)
    monkeypatch.setattr(lock, "SETTLED", 0.05)
    monkeypatch.setattr(lock, "REFRESH", 0.1)


@pytest.fixture
def elsewhere(monkeypatch):
    """Return a function that moves this process, as far as its locks tell, to another machine."""

    def move(name: str) -> None:
        monkeypatch.setattr("epmpi.output.holder.machine", lambda: name)

    return move


@pytest.fixture
def run(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    return run


def left_by(run, **changes) -> None:
    """Leave a lock behind, of this process except for the changes."""
    holder = json.loads(Holder.of_this_process().line()) | changes
    (run / "run.lock").write_text(json.dumps(holder))


def finished_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_lock_names_its_holder_and_goes_with_it(run):
    taken = RunLock(run)
    text = (run / "run.lock").read_text()
    assert f'"process": {os.getpid()}' in text
    with pytest.raises(ConfigError, match=rf"run is in use by process {os.getpid()} on .*wait for"):
        RunLock(run)
    taken.check()
    taken.release()
    assert list(run.iterdir()) == []


def test_a_living_holder_is_refreshed(run, quick):
    taken = RunLock(run)
    before = (run / "run.lock").stat().st_mtime_ns
    for _ in range(200):
        time.sleep(0.01)
        if (run / "run.lock").stat().st_mtime_ns != before:
            break
    else:
        pytest.fail("no sign of life")
    taken.check()
    taken.release()


@WITHOUT_LOCKS
def test_without_locks_a_living_process_holds_its_directory(run, monkeypatch, flock):
    monkeypatch.setattr(fcntl, "flock", flock)
    taken = RunLock(run)
    with pytest.raises(ConfigError, match="in use by process"):
        RunLock(run)
    taken.check()


@WITHOUT_LOCKS
@pytest.mark.parametrize(
    "changes",
    [{"process": finished_process}, {"started": lambda: "12345"}],
    ids=["dead", "its number used again"],
)
def test_without_locks_a_dead_process_holds_nobody_up(run, quick, monkeypatch, flock, changes):
    monkeypatch.setattr(fcntl, "flock", flock)
    left_by(run, **{name: value() for name, value in changes.items()})
    taken = RunLock(run)
    taken.check()
    taken.release()
    assert list(run.iterdir()) == []


@WITHOUT_LOCKS
def test_without_locks_a_living_run_on_another_machine_is_seen(
    run, quick, monkeypatch, elsewhere, flock
):
    monkeypatch.setattr(fcntl, "flock", flock)
    taken = RunLock(run)
    elsewhere("another")
    with pytest.raises(ConfigError, match="in use by process"):
        RunLock(run)
    taken.check()
    taken.release()


def test_who_stood_still_leaves_the_directory_to_who_has_taken_it_over(
    run, quick, monkeypatch, elsewhere, capsys
):
    monkeypatch.setattr(fcntl, "flock", no_operation)
    asleep = RunLock(run)
    monkeypatch.setattr(asleep, "refresh", lambda: None)
    elsewhere("another")
    awake = RunLock(run)
    assert "on another machine: waiting" in capsys.readouterr().err
    with pytest.raises(OutputError, match=r"was taken over by process \d+ on .*: this run ends"):
        asleep.check()
    assert not asleep.is_ours
    asleep.release()
    awake.check()
    awake.release()
    assert list(run.iterdir()) == []


@pytest.mark.parametrize("text", ["", "process 5 on elsewhere\n", '{"process": true}', "[" * 9999])
def test_a_lock_that_nobody_can_read_is_watched_and_then_removed(run, quick, text):
    (run / "run.lock").write_text(text)
    taken = RunLock(run)
    taken.check()
    taken.release()
    assert list(run.iterdir()) == []


def test_where_locks_work_who_was_killed_holds_nobody_up(run, monkeypatch):
    """Nor is anybody waited for: flock says that the holder is dead."""
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("waited"))
    left_by(run)
    RunLock(run).release()
    assert list(run.iterdir()) == []


@pytest.mark.parametrize("how", ["moved", "removed", "moved and copied back"])
@pytest.mark.parametrize("ended", [False, True], ids=["a new run is there", "it has ended"])
def test_another_directory_in_its_place_is_left_alone(run, how, ended):
    taken = RunLock(run)
    if how == "removed":
        shutil.rmtree(run)
    else:
        run.rename(run.with_name("away"))
    if how == "moved and copied back":
        shutil.copytree(run.with_name("away"), run)
    else:
        run.mkdir()
        other = RunLock(run)
        if ended:
            other.release()
    before = [(path.name, path.stat()) for path in run.iterdir()]
    with pytest.raises(OutputError, match="is not the directory that this run began in"):
        taken.check()
    taken.release()
    assert [(path.name, path.stat()) for path in run.iterdir()] == before


def test_a_directory_that_is_gone(run):
    taken = RunLock(run)
    shutil.rmtree(run)
    with pytest.raises(OutputError, match="was moved, removed or cut off: No such file"):
        taken.check()
    taken.release()
    assert not run.exists()


def test_a_lock_that_was_removed_and_made_by_another_is_left_alone(run):
    taken = RunLock(run)
    (run / "run.lock").unlink()
    other = RunLock(run)
    with pytest.raises(OutputError, match="was taken over by process"):
        taken.check()
    other.check()
    other.release()
    with pytest.raises(OutputError, match=r"has no run\.lock any more: another run was there"):
        taken.check()
    taken.release()
    assert list(run.iterdir()) == []


def test_of_two_that_find_the_same_dead_holder_one_goes_on(run, quick, monkeypatch):
    """Without locks both may remove the lock; who made the last one has it."""
    monkeypatch.setattr(fcntl, "flock", no_operation)
    left_by(run, process=finished_process())
    sleep, others = time.sleep, []

    def meanwhile(seconds: float) -> None:
        monkeypatch.setattr(time, "sleep", sleep)
        (run / "run.lock").unlink()
        others.append(RunLock(run))

    monkeypatch.setattr(time, "sleep", meanwhile)
    with pytest.raises(ConfigError, match="in use by another process"):
        RunLock(run)
    others[0].check()
