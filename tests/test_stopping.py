"""Stops of a run: its own time limit, SLURM's, signals."""

import os
import signal
import time

import pytest

from epmpi.config import Configuration
from epmpi.host.signals import SIGNALS
from epmpi.parallel import Communicator
from epmpi.run.stopping import (
    REMEMBERED,
    SECOND,
    Pace,
    StopSignals,
    slurm_duration,
    slurm_seconds_left,
    time_limit,
)


@pytest.fixture
def job(monkeypatch):
    """Return a function that puts this process into a SLURM job with such an end."""
    for name in ("SLURM_JOB_ID", "SLURM_JOB_END_TIME"):
        monkeypatch.delenv(name, raising=False)

    def start(end: str | None) -> None:
        monkeypatch.setenv("SLURM_JOB_ID", "17")
        if end is not None:
            monkeypatch.setenv("SLURM_JOB_END_TIME", end)

    return start


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("59", 59),
        ("1:00", 60),
        ("01:02:03", 3723),
        ("2-00:00:01", 172801),
        ("1-12:00:00", 129600),
        ("UNLIMITED", None),
        ("INVALID", None),
        ("", None),
        ("1:", None),
    ],
)
def test_durations_of_slurm(text, seconds):
    assert slurm_duration(text) == seconds


def test_no_limit_outside_a_job(job):
    assert slurm_seconds_left() is None
    assert time_limit(0.0) == float("inf")


def test_the_end_of_the_job_is_the_limit(job):
    job(str(int(time.time()) + 500))
    assert 495 < slurm_seconds_left() <= 500
    assert 495 < time_limit(0.0) - time.monotonic() <= 500
    assert 495 < time_limit(5000.0) - time.monotonic() <= 500
    assert 95 < time_limit(100.0) - time.monotonic() <= 100


def test_an_end_of_the_past_is_not_believed(job, tmp_path, monkeypatch):
    """It is left by another job: of the shell that this one was submitted from, say."""
    job(str(int(time.time()) - 50))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert slurm_seconds_left() is None
    squeue = tmp_path / "squeue"
    squeue.write_text("#!/bin/sh\necho 10:00\n")
    squeue.chmod(0o755)
    assert slurm_seconds_left() == 600


def test_squeue_is_asked_where_the_environment_does_not_tell(job, tmp_path, monkeypatch):
    squeue = tmp_path / "squeue"
    squeue.write_text('#!/bin/sh\n[ "$*" = "-h -j 17 -o %L" ] && echo 1:30:00\n')
    squeue.chmod(0o755)
    job(None)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert slurm_seconds_left() == 5400
    squeue.write_text("#!/bin/sh\nexit 1\n")
    assert slurm_seconds_left() is None


def test_without_squeue_there_is_no_limit(job, monkeypatch, tmp_path):
    job(None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert slurm_seconds_left() is None


def pace(left: float = float("inf"), every: float = 600.0, **clock: float) -> Pace:
    return Pace(Communicator.world(), StopSignals(), time.monotonic() + left, every, clock)


def test_the_time_that_checkpoints_take_is_kept_before_the_limit(job):
    """It stops while two of the longest of the last checkpoints still fit."""
    assert pace(30.0).decide(1).stop == ""
    for seconds, stop in ((10.0, ""), (15.0, "time limit")):
        saving = pace(30.0)
        saving.saved(time.monotonic() - seconds)
        assert saving.decide(1).stop == stop


def test_the_checkpoints_of_an_earlier_part_count_until_there_are_newer_ones():
    """And for no more than a quarter of the time, however long one was."""
    assert pace(8.0, checkpoint_time=0.5).clock()["checkpoint_time"] == 0.5
    assert pace(8.0, checkpoint_time=1e9).clock()["checkpoint_time"] == pytest.approx(1.0)
    assert pace(100.0, checkpoint_time=1e9).decide(1).stop == ""
    assert pace(1.2, checkpoint_time=1e9).decide(1).stop == "time limit"
    saving = pace(checkpoint_time=7.0)
    for _ in range(REMEMBERED):
        assert saving.clock()["checkpoint_time"] == 7.0
        saving.saved(time.monotonic())
    assert saving.clock()["checkpoint_time"] < 1.0


def test_a_slow_checkpoint_is_forgotten():
    """A pause in the middle of one, or a disk that was busy."""
    saving = pace(100.0)
    saving.saved(time.monotonic() - 1000.0)
    assert saving.decide(1).stop == "time limit"
    for _ in range(REMEMBERED):
        saving.saved(time.monotonic())
    assert saving.decide(2).stop == ""


def test_a_pause_between_two_looks_stops_no_run(monkeypatch):
    """One long step does, when there are more of them."""
    ticking = [1000.0]
    monkeypatch.setattr("epmpi.run.stopping.time.monotonic", lambda: ticking[0])
    for pauses, stop in ((1, ""), (2, "time limit")):
        ticking[0] = 1000.0
        looking = Pace(Communicator.world(), StopSignals(), time.monotonic() + 100.0, 0.0, {})
        for step in range(1, 4):
            ticking[0] += 0.2
            assert looking.decide(step).stop == ""
        for step in range(4, 4 + pauses):
            ticking[0] += 40.0
            decided = looking.decide(step).stop
        assert decided == stop


def test_quiet_steps_without_end_are_looked_at():
    """Each look comes sooner than it was due: the next one is still a finite number away."""
    pace = Pace(Communicator.world(), StopSignals(), time.monotonic() + 1e9, 0.0, {})
    ahead = [pace.decide(step).next_look - step for step in range(3000)]
    assert min(ahead) >= 1
    assert max(ahead) <= 2**53


def test_a_signal_comes_before_the_time_limit():
    stopping = pace(0.0)
    stopping.signals.own = signal.SIGUSR1
    assert stopping.decide(1).stop == "SIGUSR1"


def test_checkpoints_by_wall_time(monkeypatch):
    assert 0 < Configuration().output.checkpoint_every <= 600
    ticking = [1000.0]
    monkeypatch.setattr("epmpi.run.stopping.time.monotonic", lambda: ticking[0])
    saving = pace(every=600.0)
    ticking[0] += 599
    assert not saving.decide(1).checkpoint
    ticking[0] += 2
    assert saving.decide(2).checkpoint
    saving.saved(ticking[0])
    assert not saving.decide(3).checkpoint
    ticking[0] += 1e9
    assert saving.decide(4).checkpoint
    assert not pace(every=0.0).decide(5).checkpoint


@pytest.mark.parametrize("number", SIGNALS)
def test_every_signal_is_taken_note_of(number):
    before = signal.getsignal(number)
    with StopSignals() as signals:
        os.kill(os.getpid(), number)
        assert signals.received == number
    assert signal.getsignal(number) == before


def test_a_hangup_that_is_ignored_stays_so():
    """As under nohup; the other signals are heard there too."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals() as signals:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not signals.received
            os.kill(os.getpid(), signal.SIGTERM)
            assert signals.received == signal.SIGTERM
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_one_is_not_waited_for(monkeypatch, number):
    ticking = [1000.0]
    monkeypatch.setattr("epmpi.run.stopping.time.monotonic", lambda: ticking[0])
    with StopSignals() as signals:
        os.kill(os.getpid(), signal.SIGUSR1)
        for _ in range(2):  # one Ctrl-C, of the terminal and of timeout(1)
            os.kill(os.getpid(), number)
            assert signals.received == number
            ticking[0] += 0.1
        ticking[0] += SECOND
        os.kill(os.getpid(), signal.SIGUSR1)  # asks for nothing new
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)


def test_runs_that_stop_together_are_left_time_for_all_their_checkpoints():
    """And what was decided at a step is decided for all that ask at it."""
    decided = []
    for runs in (1, 50):
        pace = Pace(Communicator.world(), StopSignals(), time_limit(60.0), 0.0, {}, runs)
        pace.saved(time.monotonic() - 1.0)
        decided.append(pace.decide(7))
        assert pace.decide(7) is decided[-1]
    assert [decision.stop for decision in decided] == ["", "time limit"]


def test_a_run_that_takes_long_to_publish_publishes_less_often(monkeypatch):
    """And keeps the time of one more before its limit."""
    ticking = [1000.0]
    monkeypatch.setattr("epmpi.run.stopping.time.monotonic", lambda: ticking[0])
    for seconds, interval in ((0.01, 20.0), (1.0, 50.0)):
        publishing = Pace(Communicator.world(), StopSignals(), time.monotonic() + 1e9, 0.0, {})
        publishing.published(seconds)
        ticking[0] += interval - 1.0
        assert not publishing.decide(1).publish
        ticking[0] += 1.1
        assert publishing.decide(2).publish
    for seconds, stop in ((8.0, ""), (10.0, "time limit")):
        publishing = Pace(Communicator.world(), StopSignals(), time.monotonic() + 10.0, 0.0, {})
        publishing.published(seconds)
        assert publishing.decide(1).stop == stop
