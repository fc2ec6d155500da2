"""Start programs under mpiexec, from the tests and from their runner, so that none outlives it."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from epmpi.host.launchers import environment as environment  # of a program to be started

ROUNDS, ROUND = 10, 0.5  # looks at a process that has been asked to end, seconds of each
# With more ranks than cores, whoever waits for a message lets the others run (MPICH).
PATIENT = {"MPIR_CVAR_POLLS_BEFORE_YIELD": "10", "MPIR_CVAR_ENABLE_HEAVY_YIELD": "1"}


def mpiexec() -> list[str]:
    """Return the launcher: ``$MPIEXEC`` (with flags), the environment's own, or that on the path.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    if os.environ.get("MPIEXEC"):
        return shlex.split(os.environ["MPIEXEC"])
    beside = Path(sys.executable).parent / "mpiexec"
    found = str(beside) if beside.exists() else shutil.which("mpiexec")
    if found is None:
        raise FileNotFoundError("no mpiexec: pip install mpich, or set MPIEXEC to the launcher")
    return [found]


def python(*arguments: str, ranks: int | None = None) -> list[str]:
    """Return the command that runs this Python with `arguments`, on `ranks` ranks if given."""
    launcher = [] if ranks is None else [*mpiexec(), "-n", str(ranks)]
    return [*launcher, sys.executable, *arguments]


def run(
    command: Sequence[str],
    *,
    timeout: float,
    env: Mapping[str, str],
    cwd: Path | None = None,
    log: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, or end it with all its ranks after `timeout` seconds.

    Parameters
    ----------
    log : Path, optional
        Where both outputs go; by default they are returned as text.

    Raises
    ------
    subprocess.TimeoutExpired
        After the command and its ranks have been ended; its output so far is in the exception.
    """
    with open(log or os.devnull, "w", encoding="utf-8") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file if log else subprocess.PIPE,
            stderr=subprocess.STDOUT if log else subprocess.PIPE,
            text=True,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,  # a process group that can be ended as a whole
        )
        try:
            output, errors = process.communicate(timeout=timeout)
        except BaseException as reason:
            output, errors = end(process)
            if isinstance(reason, subprocess.TimeoutExpired):
                raise subprocess.TimeoutExpired(command, timeout, output, errors) from None
            raise
    return subprocess.CompletedProcess(command, process.returncode, output or "", errors or "")


def end(process: subprocess.Popen[str]) -> tuple[str, str]:
    """End a process group: politely, so that a launcher ends its ranks, then by force.

    What has left the group is not waited for, though it may hold the pipes.
    """
    held: list[Any] = [None, None]
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        for _ in range(ROUNDS):
            ended = process.poll() is not None
            try:
                return process.communicate(timeout=ROUND)
            except subprocess.TimeoutExpired as expired:
                held = [expired.output, expired.stderr]
            if ended:
                break
    process.kill()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    output, errors = (t.decode(errors="replace") if isinstance(t, bytes) else t for t in held)
    return output or "", errors or ""
