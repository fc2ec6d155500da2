"""Cases, commands and job scripts of a scaling study, and its rows."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import scaling
from performance.calibration import Measurement
from performance.scaling_figure import plot_scaling
from performance.study import (
    Case,
    cases,
    command,
    efficiency,
    share,
    smooth_length,
    strong_families,
    table,
    weak_families,
)
from performance.workload import Workload


def measured(length, ranks, seconds, exchange=0.0, tracers=0):
    return Measurement(Workload(length, ranks, tracers), seconds, {"exchange": exchange})


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["scaling.py", *map(str, arguments)])
    return scaling.main()


def test_cases_are_the_strong_and_the_weak_ones_of_few_ranks_first():
    found = cases([1, 2, 4], sizes=[512], weak=[256])
    assert found == [
        Case(1, 256), Case(1, 512), Case(2, 360), Case(2, 512), Case(4, 512),
    ]  # fmt: skip


def test_cases_have_lines_enough_for_their_ranks():
    assert cases([1, 4, 8], sizes=[8], weak=[]) == [Case(1, 8), Case(4, 8)]


@pytest.mark.parametrize(("wanted", "length"), [(1024, 1024), (1448.2, 1440), (90.5, 90), (7, 6)])
def test_lengths_of_weak_scaling_have_small_prime_factors(wanted, length):
    assert smooth_length(wanted) == length


def test_steps_keep_the_work_of_a_rank_within_bounds():
    assert Case(1, 4096).steps(2**24) == (32, 4)  # one would do for the work, four are the least
    assert Case(4, 1024).steps(2**24) == (400, 64)
    assert Case(1, 64).steps(2**24) == (400, 400)


def test_the_launcher_gets_ranks_and_nodes():
    launcher = "srun --nodes={nodes} --ntasks={ranks}"
    line = command(Case(24, 256), launcher, 16, Path("a.csv"), 2**20, "--precision single")
    assert line[:3] == ["srun", "--nodes=2", "--ntasks=24"]
    assert line[3:8] == [sys.executable, "-m", "benchmarks.step", "--sizes", "256"]
    assert line[-2:] == ["--precision", "single"]


def test_strong_and_weak_families_are_reported_apart():
    rows = [measured(256, 1, 1.0), measured(256, 2, 0.6), measured(360, 2, 1.1)]
    rows.append(measured(360, 1, 2.0, tracers=8100))
    (strong,) = strong_families(rows)
    (weak,) = weak_families(rows)
    assert [(m.work.length, m.work.ranks) for m in strong] == [(256, 1), (256, 2)]
    assert [(m.work.length, m.work.ranks) for m in weak] == [(256, 1), (360, 2)]


def test_efficiency_of_perfect_scaling_is_one():
    assert efficiency([measured(256, 1, 1.0), measured(256, 4, 0.25)]) == [1.0, 1.0]
    assert efficiency([measured(256, 1, 1.0), measured(512, 4, 1.0)]) == [1.0, 1.0]
    assert efficiency([measured(256, 2, 1.0), measured(256, 4, 1.0)]) == [1.0, 0.5]


def test_share_of_the_exchange():
    assert share(measured(256, 2, 0.5, exchange=0.1)) == pytest.approx(0.2)


def test_table_and_figure(tmp_path):
    rows = [
        measured(length, ranks, length**2 / ranks * 1e-8, 1e-9 * length**2 / ranks, tracers)
        for length in (256, 360, 512)
        for ranks in (1, 2, 4)
        for tracers in (0, length**2 // 16)
    ]
    text = table(rows)
    assert "strong scaling" in text and "weak scaling" in text
    plot_scaling(tmp_path / "scaling.png", rows)
    assert (tmp_path / "scaling.png").stat().st_size > 20_000


def test_dry_run_only_prints_the_commands(tmp_path, monkeypatch, capsys):
    file = tmp_path / "rows.csv"
    arguments = ["run", "--dry-run", "--ranks", 1, 2, "--sizes", 64, "--csv", file]
    assert run(monkeypatch, *arguments, "--launcher", "srun -n {ranks}") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [shlex.split(line.split(": ")[1])[:3] for line in lines] == [
        ["srun", "-n", "1"],
        ["srun", "-n", "2"],
    ]
    assert not file.exists()


def test_a_case_that_fails_gives_the_exit_code_and_the_others_go_on(tmp_path, monkeypatch, capsys):
    arguments = ["run", "--ranks", 1, 2, "--sizes", 16, "--csv", tmp_path / "rows.csv"]
    assert run(monkeypatch, *arguments, "--launcher", "false") == 2
    said = capsys.readouterr()
    assert said.out.count("failed with exit code 1") == 2
    assert "no measurements" in said.err


def test_job_scripts_ask_for_what_they_use(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "jobs"
    arguments = ["--ranks", 2, 32, "--sizes", 4096, "--weak", 1024, "--options", "--device gpu"]
    assert run(
        monkeypatch, "jobs", folder, *arguments, "--ranks-per-node", 8, "--gpus-per-node", 8
    ) == 0  # fmt: skip
    assert capsys.readouterr().out.splitlines() == [
        f"sbatch {folder}/scaling-2.sh", f"sbatch {folder}/scaling-32.sh",
    ]  # fmt: skip
    few, many = ((folder / f"scaling-{ranks}.sh").read_text() for ranks in (2, 32))
    for line in ("--nodes=1\n", "--ntasks-per-node=2\n", "--gpus-per-node=2\n"):
        assert f"#SBATCH {line}" in few
    for line in ("--nodes=4\n", "--ntasks-per-node=8\n", "--gpus-per-node=8\n"):
        assert f"#SBATCH {line}" in many
    assert "--ranks 32 --sizes 4096 5760 " in many
    assert "--options '--device gpu'" in many
    shellcheck = Path(sys.executable).with_name("shellcheck")
    assert subprocess.run([shellcheck, *folder.glob("*.sh")]).returncode == 0
