"""A rank that fails, in any phase, ends all ranks within seconds, with its name and its error."""

import time

import pytest
from going_on import go_on

from epmpi.cli import main

# One rank fails where a run or an analysis calls a function, as `where rank kind` say.
PROGRAM = """
import sys, time
from epmpi.analysis import pooling, report
from epmpi.cli import commands, main
from epmpi.ensemble.replicas import Replicas
from epmpi.model.model import Model
from epmpi.output import OutputError, checkpoint, segments, store, streaming
from epmpi.parallel import launched, load
from epmpi.run import course, simulation

where, rank, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
commands.PATIENCE = 1.0
KINDS = {
    "bug": ArithmeticError, "memory": MemoryError, "output": OutputError, "path": OSError,
    "MPI": lambda text: load()[0].Exception(15),
}
PLACES = {
    "place": simulation, "Model.__init__": Model, "read_final_fields": simulation,
    "Model.restore": Model, "RunStore.__init__": store.RunStore, "Warmup.anneal": course.Warmup,
    "Warmup.end_if_steady": course.Warmup, "Model.advance": Model,
    "Recorder.write": course.Recorder,
    "StreamingWriter.append": streaming.StreamingWriter,
    "StreamingWriter.append_tracers": streaming.StreamingWriter,
    "SegmentedFile.publish": segments.SegmentedFile, "write_checkpoint": store, "parts": checkpoint,
    "put_in_place": checkpoint, "RunStore.describe": store.RunStore, "Replicas._take": Replicas,
    "add_strips": pooling, "measure_replicas": report, "write": report,
}
owner, name = PLACES[where], where.rpartition(".")[2]
before = getattr(owner, name)

def failing(*arguments, **named):
    if launched().rank == rank:
        sys.stderr.write(f"failed at {time.time()}\\n")
        raise KINDS[kind]("the ice is broken")
    return before(*arguments, **named)

setattr(owner, name, failing)
sys.exit(main(sys.argv[4:]))
"""
SMALL = """
lattice.shape = [16, 16]
tracers.number = 10
time.warmup = 1
time.duration = 4
output.fields_every = 1
output.trajectory_every = 0.25
"""


@pytest.fixture
def failed(launch, tmp_path):
    """Return a function that gives what a command says of which one of 2 ranks fails."""
    (tmp_path / "a.toml").write_text(SMALL)
    (tmp_path / "program.py").write_text(PROGRAM)

    def run(where, rank, kind, *command):
        done = launch("program.py", where, str(rank), kind, *command, ranks=2, cwd=tmp_path,
                      timeout=200)  # fmt: skip
        ended = time.time()
        assert done.returncode not in (0, None), done.stderr
        assert "failed at" in done.stderr, done.stderr
        began = float(done.stderr.split("failed at ")[1].split()[0])
        assert ended - began < 20  # from the failure to the end of all ranks
        assert f"rank {rank} of 2" in done.stderr
        return done.stderr

    return run


@pytest.mark.parametrize(
    ("where", "rank", "kind"),
    [
        ("place", 1, "bug"),
        ("Model.__init__", 0, "memory"),
        ("RunStore.__init__", 1, "output"),
        ("Warmup.anneal", 0, "bug"),
        ("Warmup.end_if_steady", 1, "MPI"),
        ("Model.advance", 1, "bug"),
        ("Recorder.write", 0, "memory"),
        ("StreamingWriter.append", 1, "bug"),
        ("StreamingWriter.append_tracers", 0, "path"),
        ("SegmentedFile.publish", 0, "bug"),
        ("write_checkpoint", 1, "MPI"),
        ("parts", 0, "bug"),
        ("put_in_place", 0, "memory"),
        ("RunStore.describe", 1, "bug"),
    ],
)
def test_one_rank_ends_the_run_in_any_phase(failed, tmp_path, where, rank, kind):
    said = failed(where, rank, kind, "run", "a.toml", "-o", "out")
    if kind in ("bug", "path"):
        assert ": the ice is broken" in said
        assert "in failing" in said
    go_on(tmp_path / "a.toml", tmp_path / "out")


@pytest.mark.ci
@pytest.mark.parametrize(
    ("where", "rank", "kind"),
    [("read_final_fields", 1, "bug"), ("Model.restore", 0, "memory"), ("Replicas._take", 1, "bug")],
)
def test_one_rank_ends_a_run_that_goes_on_and_an_ensemble(failed, tmp_path, where, rank, kind):
    """From the fields of another run, from a checkpoint, in a group of its own."""
    further, out = ("--set", "time.duration=6"), tmp_path / "out"
    assert main(["run", str(tmp_path / "a.toml"), "-o", str(tmp_path / "first")]) == 0
    commands = {
        "read_final_fields": ("a.toml", "-o", "out", "--set", "initial.state=first/run.h5"),
        "Model.restore": ("first", *further),
        "Replicas._take": ("a.toml", "-o", "out", "--set", "run.replicas=4"),
    }
    command = "resume" if where == "Model.restore" else "run"
    failed(where, rank, kind, command, *commands[where])
    assert out.exists() == (where == "Replicas._take")
    go_on(tmp_path / "a.toml", out if out.exists() else tmp_path / "first", *further[1:])


@pytest.mark.ci
@pytest.mark.parametrize(
    ("where", "rank", "kind", "replicas"),
    [("add_strips", 1, "bug", 3), ("measure_replicas", 1, "memory", 1), ("write", 0, "path", 3)],
)
def test_one_rank_ends_an_analysis(failed, tmp_path, where, rank, kind, replicas):
    """Of a run, and of an ensemble."""
    command = ["run", str(tmp_path / "a.toml"), "-o", str(tmp_path / "out")]
    assert main([*command, "--set", f"run.replicas={replicas}"]) == 0
    failed(where, rank, kind, "analyse", "out")
    assert main(["analyse", str(tmp_path / "out")]) == 0
