"""Messages and end of a run in which no step ends."""

import time

import launching
import pytest
from going_on import go_on

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
LIMIT = 3  # seconds
SMALL = "lattice.shape = [16, 12]\ntracers.number = 10\ntime.warmup = 0\ntime.duration = 5\n"


class Root:
    """The root of several ranks, or another one of them."""

    def __init__(self, is_root: bool) -> None:
        self.is_root = is_root
        self.ended = []

    def abort(self, code):
        self.ended.append(code)
        time.sleep(60.0)


def test_a_stall_is_reported_once_and_with_the_last_step(capfd, monkeypatch):
    monkeypatch.setattr(watching, "STALLED", 0.2)
    with Watchdog(Communicator()) as watchdog:
        watchdog.alive(41)
        time.sleep(0.8)
        printed = capfd.readouterr().err
        assert printed.count("epmpi: no step has ended for") == 1
        assert "the last was 41: a rank may be stalled" in printed
        watchdog.alive(42)
        time.sleep(0.5)
        assert "the last was 42" in capfd.readouterr().err


@pytest.mark.parametrize(("is_root", "pause"), [(False, 0.6), (True, 0.05)])
def test_no_stall_is_reported_on_other_ranks_or_while_steps_end(capfd, monkeypatch, is_root, pause):
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


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """Compile what the runs need, which would count as a stall."""
    here = tmp_path_factory.mktemp("compiled")
    (here / "small.toml").write_text(SMALL)
    command = launching.python("-m", "epmpi.cli", "run", "small.toml", "-o", "run", ranks=2)
    done = launching.run(command, timeout=240.0, env=launching.environment(), cwd=here)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("rank", [0, 1])
def test_a_stalled_run_is_ended_after_its_limit(warm, launch, tmp_path, rank):
    """Also if the root is stalled, and prints nothing."""
    (tmp_path / "small.toml").write_text(SMALL)
    command = ("run", "small.toml", "-o", "run", "--set", f"run.stall_limit={LIMIT}")
    done = launch("-c", STALLING, str(rank), "0", *command, ranks=2, cwd=tmp_path, timeout=100)
    assert done.returncode == 75, done.stderr
    assert "epmpi: no step has ended for" in done.stderr
    assert "(run.stall_limit), the last was" in done.stderr
    assert "ended, to be resumed from the last checkpoint" in done.stderr
    go_on(tmp_path / "small.toml", tmp_path / "run", "run.stall_limit=0")


# One rank is suspended for ever where a run begins, or on its way to the others' end.
STANDING_STILL = """
import os, signal, sys
from epmpi.cli import main
from epmpi.devices import CPU
from epmpi.ensemble.replicas import Replicas
from epmpi.model.batch import Batch
from epmpi.model.model import Model
from epmpi.output import store
from epmpi.parallel import launched
from epmpi.run import course, simulation, watchdog

where, rank = sys.argv[1], int(sys.argv[2])
watchdog.LATER = 0.5
CPU.batches = where == "Batch.step"
places = {
    "place": simulation, "Model.__init__": Model, "read_final_fields": simulation,
    "Model.restore": Model, "RunStore.__init__": store.RunStore, "Recorder.save": course.Recorder,
    "Model.advance": Model, "Batch.step": Batch, "Replicas._take": Replicas,
}
owner, name = places[where], where.rpartition(".")[2]
before = getattr(owner, name)

def stalling(*arguments, **named):
    if launched().rank == rank:
        os.kill(os.getpid(), signal.SIGSTOP)
    return before(*arguments, **named)

setattr(owner, name, stalling)
sys.exit(main(sys.argv[3:]))
"""
STARTING = "the run is starting: ended, to be started again"


def ended_where(launch, cwd, where, rank, *command):
    """Return what is printed by a run of two ranks that is ended, of which one is stalled."""
    limit = ("--set", f"run.stall_limit={LIMIT}")
    done = launch("-c", STANDING_STILL, where, str(rank), *command, *limit, ranks=2, cwd=cwd,
                  timeout=100)  # fmt: skip
    assert done.returncode == 75, done.stderr
    assert "epmpi: no step has ended for" in done.stderr
    return done.stderr


@pytest.mark.ci
@pytest.mark.parametrize(
    ("where", "rank"),
    [("place", 0), ("Model.__init__", 1), ("RunStore.__init__", 0), ("Recorder.save", 1)],
)
def test_a_stall_at_the_start_of_a_run_ends_it_too(warm, launch, tmp_path, where, rank):
    (tmp_path / "small.toml").write_text(SMALL)
    assert STARTING in ended_where(launch, tmp_path, where, rank, "run", "small.toml", "-o", "run")


@pytest.mark.ci
@pytest.mark.parametrize("where", ["read_final_fields", "Model.restore"])
def test_a_stall_while_a_state_is_read_ends_the_run(warm, launch, tmp_path, where):
    """The final fields of another run, and a checkpoint."""
    (tmp_path / "small.toml").write_text(SMALL + "output.fields_every = 1\n")
    assert main(["run", str(tmp_path / "small.toml"), "-o", str(tmp_path / "first")]) == 0
    further = ("--set", "time.duration=6")
    state = ("--set", "initial.state=first/run.h5")
    commands = {
        "read_final_fields": ("run", "small.toml", "-o", "run", *state),
        "Model.restore": ("resume", "first", *further),
    }
    assert STARTING in ended_where(launch, tmp_path, where, 1, *commands[where])
    go_on(tmp_path / "small.toml", tmp_path / "first", "run.stall_limit=0", further[1])


@pytest.mark.ci
@pytest.mark.parametrize(
    ("where", "rank"),
    [("Replicas._take", 0), ("Model.advance", 1), ("Batch.step", 1), ("Batch.step", 0)],
)
def test_a_stalled_ensemble_is_ended(warm, launch, tmp_path, where, rank):
    """Ranks with replicas of their own, one after another and in step.

    The other rank ends its replicas, and waits for the one that stands still.
    """
    (tmp_path / "small.toml").write_text(SMALL + "run.replicas = 4\n")
    said = ended_where(launch, tmp_path, where, rank, "run", "small.toml", "-o", "run")
    assert "ended, to be resumed from the last checkpoint" in said
    go_on(tmp_path / "small.toml", tmp_path / "run", "run.stall_limit=0")


def test_a_rank_that_stalls_for_less_goes_on(launch, tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)
    command = ("run", "small.toml", "-o", "run", "--set", "run.stall_limit=30")
    done = launch("-c", STALLING, "1", "2", *command, ranks=2, cwd=tmp_path, timeout=100)
    assert done.returncode == 0, done.stderr
    assert "no step has ended" not in done.stderr
