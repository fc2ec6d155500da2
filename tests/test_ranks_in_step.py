"""A rank that fails ends a parallel test run with its traceback, and never hangs it."""

import json
import time
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
HEADER = "import pytest\nfrom mpi4py import MPI\nworld = MPI.COMM_WORLD\n"


@pytest.fixture
def session(launch, tmp_path):
    """Return a function that runs a test file on 2 ranks: the process, its reports by rank."""

    def run(text, ranks=2, **options):
        (tmp_path / "test_it.py").write_text(HEADER + text)
        (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --with-mpi\n")
        done = launch(
            *("-m", "pytest", "-p", "ranks_in_step", "-p", "no:cacheprovider", "test_it.py"),
            ranks=ranks,
            cwd=tmp_path,
            PYTHONPATH=str(TESTS),
            EPMPI_TEST_REPORTS=str(tmp_path),
            **options,
        )
        reports = [
            [json.loads(line) for line in (tmp_path / f"rank{rank}.jsonl").read_text().splitlines()]
            for rank in range(ranks)
        ]
        return done, reports

    return run


def calls(report):
    """Return {test: outcome} of the calls in the report of one rank."""
    return {
        entry["test"].split("::")[1]: entry["outcome"]
        for entry in report
        if entry["event"] == "phase" and entry["when"] == "call"
    }


@pytest.mark.ci
def test_a_rank_that_fails_before_a_collective_ends_the_run_within_seconds(session):
    start = time.monotonic()
    done, reports = session(
        "@pytest.mark.mpi\ndef test_good():\n    world.barrier()\n"
        "@pytest.mark.mpi\ndef test_bad():\n"
        "    assert world.rank == 0, 'seven'\n    world.barrier()\n"
        "@pytest.mark.mpi\ndef test_later():\n    pass\n",
        timeout=50,
    )
    assert time.monotonic() - start < 30
    assert done.returncode != 0
    assert "rank 1 of 2: call of test_it.py::test_bad" in done.stderr
    assert "AssertionError: seven" in done.stderr
    assert calls(reports[0]) == {"test_good": "passed"}
    assert calls(reports[1]) == {"test_good": "passed", "test_bad": "failed"}
    assert reports[1][-1]["event"] == "aborted"


@pytest.mark.ci
def test_a_failure_that_blocks_no_other_rank_lets_the_run_go_on(session):
    done, reports = session(
        "@pytest.mark.mpi\ndef test_bad():\n    assert world.rank == 0\n"
        "@pytest.mark.mpi\ndef test_later():\n    world.barrier()\n"
    )
    assert done.returncode != 0
    assert calls(reports[0]) == {"test_bad": "passed", "test_later": "passed"}
    assert calls(reports[1]) == {"test_bad": "failed", "test_later": "passed"}
    assert all(report[-1]["event"] == "end" for report in reports)


@pytest.mark.ci
def test_a_test_skipped_on_one_rank_ends_the_run(session):
    done, _ = session(
        "@pytest.fixture\ndef half():\n    if world.rank: pytest.skip('odd')\n"
        "@pytest.mark.mpi\ndef test_it(half):\n    world.barrier()\n"
    )
    assert done.returncode != 0
    assert "is set up on some ranks" in done.stderr


@pytest.mark.ci
def test_a_file_that_cannot_be_collected_ends_the_run(session):
    done, _ = session("if world.rank == 1:\n    raise ValueError('eight')\n")
    assert done.returncode != 0
    assert "ValueError: eight" in done.stderr


@pytest.mark.ci
def test_ranks_that_collect_different_tests_end_the_run(session):
    done, _ = session(
        "@pytest.mark.mpi\n@pytest.mark.parametrize('n', range(world.rank + 1))\n"
        "def test_it(n):\n    world.barrier()\n"
    )
    assert done.returncode != 0
    assert "collected different tests: ['test_it.py::test_it[1]']" in done.stderr


@pytest.mark.ci
def test_serial_tests_and_too_few_ranks_are_left_out(session):
    done, reports = session(
        "def test_serial():\n    pass\n"
        "@pytest.mark.mpi\ndef test_any():\n    pass\n"
        "@pytest.mark.mpi(min_size=3)\ndef test_three():\n    pass\n"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert calls(reports[0]) == calls(reports[1]) == {"test_any": "passed"}


@pytest.mark.ci
def test_property_tests_are_serial(session):
    done, _ = session(
        "from hypothesis import given, strategies\n"
        "@pytest.mark.mpi\n@given(strategies.integers())\ndef test_it(n):\n    pass\n"
    )
    assert done.returncode != 0
    assert "parametrize it instead of @given" in done.stdout + done.stderr


@pytest.mark.mpi
def test_shared_directory_is_one_for_all_ranks(comm, shared_tmp_path):
    (shared_tmp_path / str(comm.rank)).touch()
    comm.barrier()
    assert sorted(path.name for path in shared_tmp_path.iterdir()) == [
        str(rank) for rank in range(comm.size)
    ]
    comm.barrier()
