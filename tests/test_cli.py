"""The command line, as a user meets it: in processes of its own."""

import h5py
import pytest

from epmpi.cli import main

TINY = """
[lattice]
shape = [16, 12]
[tracers]
number = 10
[time]
warmup = 1.0
duration = 2.0
[output]
series_every = 0.5
trajectory_every = 0.5
fields_every = 1.0
"""


@pytest.fixture
def tiny(tmp_path):
    file = tmp_path / "tiny.toml"
    file.write_text(TINY)
    return file


@pytest.mark.parametrize("ranks", [None, 3])
def test_run_writes_its_file_and_tells_its_progress(launch, tmp_path, tiny, ranks):
    done = launch("-m", "epmpi.cli", "run", str(tiny), "-o", "out", ranks=ranks, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("16 x 12 sites") == 1
    assert "site updates/s" in done.stderr
    with h5py.File(tmp_path / "out" / "run.h5") as file:
        assert file["particles/tracers/position/value"].shape == (5, 10, 3)
        assert file["fields/stress/value"].shape == (3, 16, 12)
        assert file["parameters"].attrs["ranks"] == (ranks or 1)
        assert file["parameters"].attrs["wall_time"] > 0


def test_default_directory_is_named_after_the_configuration(launch, tmp_path, tiny):
    done = launch("-m", "epmpi.cli", "run", str(tiny), ranks=None, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "tiny" / "run.h5").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--set", "model.temprature=1"], "temperature"),
        (["--set", "model.temperature=0"], "temperature"),
        (["--set", "model.activation=random"], "model.activity"),
        (["--set", "time.step=0.5", "--set", "model.attempt_rate=2"], "step"),
        (["--set", "lattice.shape=[4, 4]", "--set", "tracers.number=1"], "ranks"),
        (["--set", "initial.state=nowhere/run.h5"], "nowhere/run.h5"),
        (["--set", "run.wire=single", "--set", "run.fft=mpi4py-fft"], 'run.wire = "single"'),
    ],
)
def test_a_mistake_gives_one_line_and_exit_code_2_and_changes_nothing(
    launch, tmp_path, tiny, arguments, expected
):
    arguments = ["run", str(tiny), "-o", "out", *arguments]
    done = launch("-m", "epmpi.cli", *arguments, ranks=3, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("epmpi: ")
    assert expected in lines[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.toml"]


def test_several_mistakes_are_reported_together(launch, tmp_path, tiny):
    changes = [("time.step=0.9", "too long"), ("tracers.number=1000", "one tracer per site")]
    words = ["run", str(tiny), *(word for change, _ in changes for word in ("--set", change))]
    done = launch("-m", "epmpi.cli", *words, ranks=2, cwd=tmp_path)
    assert done.returncode == 2
    head, *lines = done.stderr.splitlines()
    assert head == "epmpi: 3 errors in the configuration:"
    assert [expected for _, expected in changes if expected not in "".join(lines)] == []
    assert "time.warmup = 1.0, expected a multiple" in lines[-1]


def test_an_existing_directory_is_left_as_it_is(launch, tmp_path, tiny):
    out = tmp_path / "out"
    out.mkdir()
    (out / "precious").write_text("data")
    done = launch("-m", "epmpi.cli", "run", str(tiny), "-o", "out", ranks=2, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("exists") == 1
    assert [path.name for path in out.iterdir()] == ["precious"]


def test_missing_configuration(launch, tmp_path):
    done = launch("-m", "epmpi.cli", "run", "absent.toml", ranks=2, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("absent.toml") == 1


def test_dry_run_writes_nothing(launch, tmp_path, tiny):
    done = launch("-m", "epmpi.cli", "run", "--dry-run", str(tiny), ranks=2, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for word in ("memory", "disk", "time"):
        assert done.stdout.count(f"{word} ") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.toml"]


def test_dry_run_says_what_it_cannot_know(launch, tmp_path, tiny):
    """The number of logged events, unless the activity is a key, or that of a known law."""
    unlike = ["--set", "model.shear_modulus=0.5"]
    logged = ["--set", "time.clock=exact", "--set", "output.events=true"]
    random = ["--set", "model.activation=random", "--set", "model.activity=0.1"]
    for keys, times in ((logged + unlike, 1), (logged, 0), (logged + random, 0)):
        done = launch("-m", "epmpi.cli", "run", "--dry-run", str(tiny), *keys, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("and 25 bytes an event (output.events)") == times


def test_defaults_that_gave_way_are_named(launch, tmp_path):
    (tmp_path / "few.toml").write_text(
        "[lattice]\nshape = [16, 12]\n[time]\nwarmup = 0\nduration = 1.02\n"
    )
    said = (
        "adapted to the keys that are set: tracers.number = 192 (default 1024), tracers.every = 25 "
    )
    said += "(default 5), time.step = 0.02 (default"
    for command in (["run", "few.toml"], ["run", "few.toml", "--dry-run"]):
        done = launch("-m", "epmpi.cli", *command, ranks=2, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count(said) == 1
    done = launch("-m", "epmpi.cli", "resume", "runs/few", cwd=tmp_path)
    assert "adapted" not in done.stdout


def test_info_and_usage(launch, tmp_path):
    done = launch("-m", "epmpi.cli", "info", ranks=2, cwd=tmp_path)
    assert done.returncode == 0
    assert "2 rank(s)" in done.stdout
    assert done.stdout.count("HDF5") >= 1
    done = launch("-m", "epmpi.cli", "walk", ranks=2, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("invalid choice") == 1


def test_a_command_that_starts_runs_itself_refuses_several_ranks(launch, tmp_path):
    done = launch("-m", "epmpi.cli", "scan", "absent.toml", ranks=2, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("scan runs on 1 rank, got 2") == 1
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_run_starts_from_the_last_fields_of_another(launch, tmp_path, tiny):
    first = launch("-m", "epmpi.cli", "run", str(tiny), "-o", "first", ranks=2, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    changes = ["--set", "initial.state=./first", "--set", "time.warmup=0"]
    second = launch(
        "-m", "epmpi.cli", "run", str(tiny), "-o", "second", *changes, ranks=3, cwd=tmp_path
    )
    assert second.returncode == 0, second.stderr
    with (
        h5py.File(tmp_path / "first" / "run.h5") as before,
        h5py.File(tmp_path / "second" / "run.h5") as after,
    ):
        for name in ("stress", "active"):
            value = f"fields/{name}/value"
            assert (before[value][-1] == after[value][0]).all()


def test_analyse_reads_the_run_and_refuses_what_is_none(launch, tmp_path, tiny):
    run = launch("-m", "epmpi.cli", "run", str(tiny), "-o", "out", ranks=None, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    analyse = ("-m", "epmpi.cli", "analyse", "out", "--open")
    done = launch(*analyse, ranks=None, cwd=tmp_path, BROWSER="echo browser %s")
    assert done.returncode == 0, done.stderr
    assert "activity" in done.stdout
    assert f"browser file://{tmp_path}/out/report.html" in done.stdout
    assert (tmp_path / "out" / "analysis.h5").exists()
    assert list((tmp_path / "out").glob("*.png"))
    done = launch("-m", "epmpi.cli", "analyse", "nothing", ranks=None, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("replicas", [1, 2])
def test_a_limit_that_leaves_no_time_is_reported_and_asks_not_to_be_queued_again(
    tmp_path, tiny, capsys, replicas
):
    out = str(tmp_path / "out")
    changes = ["run.walltime=1e-3", f"run.replicas={replicas}"]
    assert main(["run", str(tiny), "-o", out, *set_all(changes)]) == 2
    assert main(["resume", out]) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("epmpi: stop")]
    assert len(said) == 2
    assert all("after one step" in line and f"epmpi resume {out}" in line for line in said)
    assert main(["resume", out, "--set", "run.walltime=0"]) == 0


def set_all(changes):
    return [word for change in changes for word in ("--set", change)]
