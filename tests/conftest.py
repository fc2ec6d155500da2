"""Fixtures of all tests: the communicator, files shared by the ranks, programs under mpiexec."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import launching
import pytest
from mpi4py import MPI

pytest_plugins = ["ranks_in_step"]

# The same examples in every process and on every day; compiling takes longer than the deadline.
hypothesis.settings.register_profile("epmpi", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("epmpi")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests marked ci to `make test-ci`, those marked long to whoever asks for them."""
    if {"ci", "long"} & set(config.option.markexpr.split()):
        return
    left_out = [
        item for item in items if item.get_closest_marker("ci") or item.get_closest_marker("long")
    ]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture
def comm() -> Iterator[MPI.Comm]:
    """Return a duplicate of the world for this one test, free of earlier tests' messages."""
    duplicate = MPI.COMM_WORLD.Dup()
    yield duplicate
    duplicate.Free()


@pytest.fixture
def shared_tmp_path() -> Iterator[Path]:
    """Return one new directory for all ranks, removed when all of them have finished the test."""
    world = MPI.COMM_WORLD
    made = tempfile.mkdtemp(prefix="epmpi-test-") if world.rank == 0 else None
    path = Path(world.bcast(made))
    yield path
    world.barrier()
    if world.rank == 0:
        shutil.rmtree(path)


@pytest.fixture
def launch() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs ``python ARGUMENTS``, under mpiexec where `ranks` is given.

    For serial tests only: an MPI process must not start another MPI run.
    """

    def run(
        *arguments: str | Path,
        ranks: int | None = None,
        timeout: float = 240.0,
        cwd: Path | None = None,
        **variables: str,
    ) -> subprocess.CompletedProcess[str]:
        command = launching.python(*map(str, arguments), ranks=ranks)
        env = launching.environment(**variables)
        return launching.run(command, timeout=timeout, env=env, cwd=cwd)

    return run


@pytest.fixture
def commands(launch) -> Callable[..., list[tuple[int, str, str]]]:
    """Return a function that runs several commands of epmpi in turn, in the same processes.

    It returns exit code, standard output and standard error of each.
    """
    program = Path(__file__).parent / "commands_in_turn.py"

    def run(*lines: list[str | Path], **options: Any) -> list[tuple[int, str, str]]:
        arguments = json.dumps([list(map(str, line)) for line in lines])
        done = launch(program, arguments, **options)
        assert done.returncode == 0, done.stderr
        parts = [re.split(r"\n--- exit code (\d+)\n", text) for text in (done.stdout, done.stderr)]
        codes = [int(code) for code in parts[0][1::2]]
        assert len(codes) == len(lines), done.stderr
        return list(zip(codes, parts[0][::2], parts[1][::2], strict=False))

    return run
