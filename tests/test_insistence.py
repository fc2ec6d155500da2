"""Ranks that cannot agree are ended: ranks in two collective calls, deaf processes."""

import os
import signal
import subprocess
import threading
import time
from contextlib import suppress

import launching
import pytest

from epmpi.run.stopping import SECOND, StopSignals

# A rank that waits for a message that is never sent, as after a failure of another.
DEAF = """
import epmpi.run.insistence
from epmpi.parallel import load
from epmpi.run.stopping import StopSignals

epmpi.run.insistence.PATIENCE = 0.1
mpi, _ = load()
with StopSignals():
    print("waiting", flush=True)
    mpi.COMM_SELF.recv(source=0)
"""
SMALL = "lattice.shape = [16, 12]\ntracers.number = 10\ntime.warmup = 0\ntime.duration = 5\n"
# An exception of one rank between two collective calls of a checkpoint, of several kinds.
FAILING = """
import sys
from epmpi.cli import commands, main
from epmpi.output import OutputError
from epmpi.output.streaming import StreamingWriter
from epmpi.parallel import Communicator, launched, load

rank, kind = int(sys.argv[1]), sys.argv[2]
commands.PATIENCE = 1.0
gather, fill, filling = Communicator.gather_rows, StreamingWriter.fill, []

def filled(*arguments):
    filling.append(1)
    return fill(*arguments)

def failing(communicator, rows):
    if filling and launched().rank == rank:
        if kind == "MPI":
            raise load()[0].Exception()
        raise {"memory": MemoryError, "output": OutputError, "bug": ZeroDivisionError}[kind]("late")
    return gather(communicator, rows)

Communicator.gather_rows, StreamingWriter.fill = failing, filled
sys.exit(main(sys.argv[3:]))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_a_process_that_waits_in_mpi(number):
    started = subprocess.Popen(
        launching.python("-c", DEAF), text=True, env=launching.environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert started.stdout.readline() == "waiting\n"
        started.send_signal(number)
        time.sleep(SECOND + 0.5)
        assert started.poll() is None  # the first asks
        for _ in range(20):  # on a busy machine the thread may hear the first late
            started.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                _, said = started.communicate(timeout=SECOND + 2.0)
                break
    finally:
        started.kill()
    assert started.returncode == 128 + number
    assert f"a second {number.name} came, and the run cannot stop: ended at once" in said


def test_who_listens_again_has_what_was_there_before():
    """A thread for each run, gone with it; the descriptor of Python's own loops is put back."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    threads = threading.active_count()
    before = signal.set_wakeup_fd(write)
    try:
        for _ in range(3):
            with StopSignals():
                assert threading.active_count() == threads + 1
        assert threading.active_count() == threads
        assert signal.set_wakeup_fd(before) == write
    finally:
        signal.set_wakeup_fd(before)
        os.close(read)
        os.close(write)


@pytest.mark.parametrize(
    ("rank", "kind", "code"),
    [
        (0, "MPI", 1),
        (1, "MPI", 1),
        (0, "bug", 1),
        (0, "memory", 71),
        pytest.param(1, "memory", 71, marks=pytest.mark.ci),
        pytest.param(1, "output", 74, marks=pytest.mark.ci),
    ],
)
def test_an_exception_of_one_rank_between_collective_calls_ends_all(
    launch, tmp_path, rank, kind, code
):
    (tmp_path / "small.toml").write_text(SMALL)
    command = (str(rank), kind, "run", "small.toml", "-o", "run")
    done = launch("-c", FAILING, *command, ranks=2, cwd=tmp_path, timeout=100)
    assert done.returncode == code, done.stderr
    assert f"rank {rank} of 2" in done.stderr
