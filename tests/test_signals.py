"""Signals before a run handles them: recorded, kept, or raised again."""

import ctypes
import os
import signal
import sys

import pytest

from epmpi.cli import main
from epmpi.host import exits, signals
from epmpi.run.stopping import StopSignals

EARLY = [number for number in signals.SIGNALS if number != signal.SIGINT]
IGNORE = ctypes.c_void_p(1)  # SIG_IGN
PROGRAM = """
import os, sys
from epmpi.cli import main
import epmpi.parallel.placement
place = epmpi.parallel.placement.place

def signalled(name, communicator):
    if communicator.rank == communicator.size - 1:
        os.kill(os.getpid(), int(sys.argv[1]))  # MPI has been started, the run has not
    return place(name, communicator)

epmpi.parallel.placement.place = signalled
sys.exit(main(sys.argv[2:]))
"""
SMALL = """
lattice.shape = [16, 12]
tracers.number = 10
time.warmup = 0.0
time.duration = 500.0
"""


@pytest.fixture
def small(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)
    return tmp_path


@pytest.mark.parametrize("number", EARLY)
def test_what_came_before_a_run_stops_it(number):
    with signals.recording():
        os.kill(os.getpid(), number)
        with StopSignals() as stopping:
            assert stopping.received == number
        with StopSignals() as stopping:
            assert stopping.received == 0  # counted once


@pytest.mark.parametrize("number", signals.SIGNALS)
def test_handlers_come_back_whatever_a_library_has_done(number):
    """As MPICH does for SIGUSR1 and UCX for SIGHUP, behind Python's back."""
    with StopSignals() as stopping:
        with signals.keeping_handlers():
            ctypes.CDLL(None).signal(number, IGNORE)
            os.kill(os.getpid(), number)
            assert stopping.received == 0
        os.kill(os.getpid(), number)
        assert stopping.received == number


def test_a_command_that_is_let_go_does_not_hear_any_more():
    before = signal.getsignal(signal.SIGUSR1)
    with signals.recording():
        assert signal.getsignal(signal.SIGUSR1) != before
        signals.release()
        assert signal.getsignal(signal.SIGUSR1) == before


def interrupt_in_a_callback():
    """Ctrl-C while C calls Python, as the compiler does: the exception goes no further."""
    ctypes.CFUNCTYPE(None)(lambda: os.kill(os.getpid(), signal.SIGINT))()


def test_an_interrupt_that_a_library_loses_stops_the_run_that_follows():
    before = sys.unraisablehook
    with signals.recording():
        interrupt_in_a_callback()
        with StopSignals() as stopping:
            assert stopping.received == signal.SIGINT
    assert sys.unraisablehook == before


@pytest.mark.parametrize("dry", [True, False])
def test_an_interrupt_that_a_library_makes_an_error_of_is_one_line(small, monkeypatch, capsys, dry):
    def place(name, communicator):
        interrupt_in_a_callback()
        raise RuntimeError("no compiled object yet")

    monkeypatch.setattr("epmpi.run.simulation.place", place)
    monkeypatch.setattr("epmpi.parallel.placement.place", place)
    words = ["run", str(small / "small.toml"), "-o", str(small / "run"), *["--dry-run"] * dry]
    assert main(words) == exits.INTERRUPTED
    assert capsys.readouterr().err.splitlines() == ["epmpi: interrupted"]
    assert not (small / "run").exists()


def test_an_error_without_an_interrupt_stays_one(small, monkeypatch):
    def place(name, communicator):
        raise RuntimeError("a fault")

    monkeypatch.setattr("epmpi.run.simulation.place", place)
    with pytest.raises(RuntimeError, match="a fault"):
        main(["run", str(small / "small.toml"), "-o", str(small / "run")])


LET_GO = """
import os, signal, sys
from epmpi.host import signals
with signals.recording():
    os.kill(os.getpid(), int(sys.argv[1]))
    print("heard", flush=True)
    signals.release()
    print("never", flush=True)
"""


@pytest.mark.parametrize("number", EARLY)
def test_what_was_heard_kills_a_command_that_has_nothing_to_save(launch, number):
    done = launch("-c", LET_GO, str(int(number)))
    assert (done.returncode, done.stdout) == (-number, "heard\n")


@pytest.mark.parametrize(
    ("number", "ranks"), [(signal.SIGUSR1, 2), (signal.SIGHUP, None), (signal.SIGTERM, None)]
)
def test_a_signal_after_the_start_of_mpi_stops_the_run(launch, small, number, ranks):
    command = ["run", "small.toml", "-o", "run"]
    done = launch("-c", PROGRAM, str(int(number)), *command, ranks=ranks, cwd=small)
    assert done.returncode == 75, done.stderr
    assert f"stopped ({signal.Signals(number).name})" in done.stderr
    assert (small / "run" / "checkpoint.h5").exists()


INTERRUPTED = """
import os, signal, sys
from epmpi.cli import main

class Interrupting:
    def find_spec(self, name, *ignored):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("h5py", ["--help"]),
        ("numba", ["run", "small.toml"]),
        ("numba", ["run", "small.toml", "--dry-run"]),
        ("matplotlib", ["analyse", "none"]),
    ],
)
def test_ctrl_c_while_modules_load_ends_in_one_line(launch, small, module, command):
    done = launch("-c", INTERRUPTED, module, *command, cwd=small)
    assert (done.returncode, done.stderr) == (130, "epmpi: interrupted\n")
    assert not (small / "runs").exists()
