"""The runner of the suite counts what fails, crashes, hangs or is skipped without leave."""

import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.ci
ROOT = Path(__file__).parent.parent.parent
MARKED = "@pytest.mark.mpi\n"
GOOD = f"{MARKED}def test_good():\n    pass\n"


@pytest.fixture
def runner(launch, tmp_path):
    """Return a function that runs the runner on a test file: exit code, output, closing line."""

    def run(text, *arguments, ranks="2", **variables):
        header = "import os, time\nimport pytest\nfrom mpi4py import MPI\nworld = MPI.COMM_WORLD\n"
        (tmp_path / "test_it.py").write_text(header + text)
        (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --with-mpi\n")
        done = launch(
            *(ROOT / "tools" / "run_tests.py", "--ranks", ranks, *arguments),
            *("-p", "ranks_in_step", "test_it.py"),
            cwd=tmp_path,
            PYTHONPATH=str(ROOT / "tests"),
            **{"EPMPI_CI": "0", "EPMPI_FAILED_CHECKS": ""} | variables,
        )
        return done.returncode, done.stdout, done.stdout.splitlines()[-1]

    return run


def test_tests_are_summed_over_the_numbers_of_ranks(runner):
    code, _, closing = runner(f"def test_serial():\n    pass\n{GOOD}", ranks="1,2")
    assert (code, closing) == (0, "3 passed, 0 failed")


def test_a_test_that_fails_on_one_rank_counts_once(runner):
    code, output, closing = runner(f"{MARKED}def test_bad():\n    assert world.rank == 0\n{GOOD}")
    assert (code, closing) == (1, "1 passed, 1 failed")
    assert "FAILED on rank 1 of 2: test_it.py::test_bad" in output
    assert output.splitlines()[-2] == "failed on 2 ranks: test_it.py::test_bad"


def test_a_rank_that_crashes_is_a_failure(runner):
    code, output, closing = runner(
        f"{GOOD}{MARKED}def test_bad():\n    if world.rank == 1: os._exit(7)\n    world.barrier()\n"
    )
    assert (code, closing) == (1, "1 passed, 1 failed")
    assert "rank 1: ended in test 2 of 2" in output
    assert "failed on 2 ranks: rank 1: ended in test 2 of 2" in output.splitlines()[-3:]


def test_ranks_that_hang_are_ended(runner, tmp_path):
    start = time.monotonic()
    code, output, closing = runner(
        f"{GOOD}{MARKED}def test_bad():\n"
        f"    open(f'{tmp_path}/{{os.getpid()}}.pid', 'w').close()\n    time.sleep(100)\n",
        *("--timeout", "8"),
    )
    assert time.monotonic() - start < 30
    assert (code, closing) == (1, "1 passed, 1 failed")
    assert "run on 2 ranks: ended after 8 s" in output
    started = [int(path.stem) for path in tmp_path.glob("*.pid")]
    assert len(started) == 2
    # Some launchers leave before their ranks do.
    while any(alive := [Path(f"/proc/{number}").exists() for number in started]):
        assert time.monotonic() - start < 30, alive
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("reason", "ci", "closing"),
    [
        ("needs a GPU", "1", "1 passed, 0 failed, 1 skipped"),
        ("needs mpi4py-fft", "0", "1 passed, 0 failed, 1 skipped"),
        ("needs mpi4py-fft", "1", "1 passed, 1 failed"),
        ("not today", "1", "1 passed, 1 failed"),
    ],
)
def test_unexpected_skips_fail_in_ci(runner, reason, ci, closing):
    text = f"{GOOD}{MARKED}def test_it():\n    pytest.skip({reason!r})\n"
    code, output, last = runner(text, ranks="1", EPMPI_CI=ci)
    assert last == closing
    assert code == ("1 failed" in closing)
    assert reason in output


def test_a_file_that_cannot_be_imported_leaves_the_others(runner, tmp_path):
    (tmp_path / "test_broken.py").write_text("import nothing_of_this_name")
    code, output, closing = runner(GOOD, "test_broken.py")
    assert (code, closing) == (1, "1 passed, 1 failed")
    assert "No module named 'nothing_of_this_name'" in output


def test_a_check_that_failed_before_is_counted(runner):
    code, _, closing = runner(GOOD, ranks="1", EPMPI_FAILED_CHECKS="lint")
    assert (code, closing) == (1, "1 passed, 1 failed")


def test_no_test_at_all_is_a_failure(runner):
    code, _, closing = runner("", ranks="1")
    assert (code, closing) == (1, "0 passed, 1 failed")
