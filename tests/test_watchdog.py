"""Messages and end of a run in which no step ends."""

import time

import pytest

from epmpi.cli import main
from epmpi.parallel import Communicator
from epmpi.run import watchdog as watching
from epmpi.run.watchdog import Watchdog

# One rank is suspended in the middle of the run, for ever or for a while; how long ranks wait.
STALLING = """
import os, signal, sys, threading
from epmpi.cli import main
from epmpi.model.model import Model
from epmpi.parallel import launched
from epmpi.run import watchdog

rank, pause = int(sys.argv[1]), float(sys.argv[2])
watchdog.LATER = 0.5
advance = Model.advance

def stalling(model, until):
    if model.step_count == 30 and launched().rank == rank:
        if pause:
            os.system(f"(sleep {pause}; kill -CONT {os.getpid()}) >/dev/null 2>&1 &")
        os.kill(os.getpid(), signal.SIGSTOP)
    advance(model, model.step_count + 1)

Model.advance = stalling
sys.exit(main(sys.argv[3:]))
"""
SMALL = "lattice.shape = [16, 12]\ntracers.number = 10\ntime.warmup = 0\ntime.duration = 5\n"


class Root:
    """The root of several ranks, or another one of them."""

    def __init__(self, is_root: bool) -> None:
        self.is_root = is_root
        self.ended = []

    def abort(self, code):
        self.ended.append(code)
        time.sleep(60.0)


def test_a_stall_is_told_once_and_with_the_last_step(capfd, monkeypatch):
    monkeypatch.setattr(watching, "STALLED", 0.2)
    with Watchdog(Communicator()) as watchdog:
        watchdog.alive(41)
        time.sleep(0.8)
        told = capfd.readouterr().err
        assert told.count("epmpi: no step has ended for") == 1
        assert "the last was 41: a rank may be stalled" in told
        watchdog.alive(42)
        time.sleep(0.5)
        assert "the last was 42" in capfd.readouterr().err


@pytest.mark.parametrize(("is_root", "pause"), [(False, 0.6), (True, 0.05)])
def test_no_stall_is_told_on_other_ranks_or_while_steps_end(capfd, monkeypatch, is_root, pause):
    monkeypatch.setattr(watching, "STALLED", 0.4)
    with Watchdog(Root(is_root)) as watchdog:
        for step in range(round(1.2 / pause)):
            watchdog.alive(step)
            time.sleep(pause)
    assert capfd.readouterr().err == ""


def test_time_in_which_the_process_itself_was_suspended_does_not_count(monkeypatch):
    """The clock jumps by an hour at each look: a look counts as two at most."""
    clock = iter(range(0, 10**9, 3600))
    monkeypatch.setattr(watching.time, "monotonic", lambda: float(next(clock)))
    root = Root(True)
    with Watchdog(root, limit=4.0) as watchdog:
        watchdog._done.wait(1.5)
        assert not root.ended
        assert watchdog._idle == 2.0


@pytest.mark.parametrize("rank", [0, 1])
def test_a_stalled_run_is_ended_after_its_limit(launch, tmp_path, rank):
    """Also where the root stands still, and says nothing."""
    (tmp_path / "small.toml").write_text(SMALL)
    command = ("run", "small.toml", "-o", "run", "--set", "run.stall_limit=2")
    done = launch("-c", STALLING, str(rank), "0", *command, ranks=2, cwd=tmp_path, timeout=100)
    assert done.returncode == 75, done.stderr
    assert "epmpi: no step has ended for" in done.stderr
    assert "(run.stall_limit), the last was" in done.stderr
    assert "ended, to be resumed from the last checkpoint" in done.stderr
    deadline = time.monotonic() + 60.0  # the launcher may end a little before its ranks
    while main(["resume", str(tmp_path / "run"), "--set", "run.stall_limit=0"]) != 0:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_rank_that_stalls_for_less_goes_on(launch, tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)
    command = ("run", "small.toml", "-o", "run", "--set", "run.stall_limit=30")
    done = launch("-c", STALLING, "1", "2", *command, ranks=2, cwd=tmp_path, timeout=100)
    assert done.returncode == 0, done.stderr
    assert "no step has ended" not in done.stderr
