"""Carry out a list of runs: finished ones are reused, unfinished ones are resumed.

Each run is a process of its own (`epmpi run` or `epmpi resume`, under mpiexec where it has several
ranks), so that a failing run does not affect the others.  An interrupt reaches them all: each
writes its checkpoint, and the same command continues later.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from epmpi.config import (
    MAY_CHANGE,
    ConfigError,
    Configuration,
    differing,
    stored_configuration,
)
from epmpi.host.exits import STOPPED
from epmpi.host.launchers import environment
from epmpi.trust import one_line, open_file


@dataclass(frozen=True)
class Job:
    """One run of a campaign.

    Attributes
    ----------
    name : str
        Of its RUN directory.
    """

    name: str
    configuration: Configuration

    @property
    def cost(self) -> float:
        """Number of site updates, a measure of the time that the run takes."""
        length, width = self.configuration.lattice.shape
        return float(self.configuration.known_steps * length * width)


def stored(run: Path) -> tuple[Configuration, bool] | None:
    """Return the configuration in RUN/run.h5 and whether that run has finished; None without it."""
    if not (run / "run.h5").is_file():
        return None
    try:
        with open_file(run / "run.h5") as file:
            attributes: Any = file["parameters"].attrs
            text = attributes["configuration"]
            text = text.decode() if isinstance(text, bytes) else text
            return stored_configuration(text), "finished" in attributes
    except Exception as error:  # a library that reads damaged bytes may raise anything
        why = one_line(error)
        raise ConfigError(
            f"{run} cannot be reused ({why}); move it away to have it run again"
        ) from error


def _arguments(job: Job, directory: Path) -> list[str] | None:
    """Return the arguments of `epmpi` that a run still needs, or None where it is finished.

    Raises
    ------
    ConfigError
        If its directory holds another run than this one.
    """
    run = directory / job.name
    found = stored(run)
    if found is None:
        # Perhaps a run that was killed at its start; `epmpi run` looks more closely.
        left = os.listdir(run) if run.is_dir() else []
        if run.exists() and any(name.split(".")[0] not in ("run", "checkpoint") for name in left):
            raise ConfigError(f"{run} is there without a run.h5: move it away to have it run again")
        return ["run", str(directory / f"{job.name}.toml"), "-o", str(run)]
    configuration, finished = found
    other = [name for name in differing(configuration, job.configuration) if name not in MAY_CHANGE]
    if other:
        raise ConfigError(
            f"{run} was run with another {', '.join(other)}: choose another directory"
        )
    duration = job.configuration.time.duration
    if finished and configuration.time.duration >= duration:
        return None
    longer = max(duration, configuration.time.duration)
    return ["resume", str(run), "--set", f"time.duration={longer!r}"]


def carry_out(
    jobs: Sequence[Job],
    directory: Path,
    *,
    workers: int,
    ranks: int = 1,
    console: Console | None = None,
) -> None:
    """Run what is missing, the longest first.

    Parameters
    ----------
    directory : Path
        Receives NAME.toml, NAME.log and the RUN directory NAME of each job.
    workers : int
        Number of simultaneous runs.
    ranks : int
        Of each run.
    console : rich Console, optional
        Prints a line when a run ends.

    Raises
    ------
    ConfigError
        If a run cannot be reused, fails, or was stopped before its end; the others have ended.
    """
    directory.mkdir(parents=True, exist_ok=True)
    missing = []
    for job in sorted(jobs, key=lambda job: -job.cost):
        arguments = _arguments(job, directory)
        if arguments is not None:
            text = job.configuration.to_toml()
            (directory / f"{job.name}.toml").write_text(text, encoding="utf-8")
            missing.append((job, arguments))
    if console is not None and jobs:
        console.print(
            f"{len(jobs)} runs in {directory}: {len(missing)} to run",
            highlight=False,
            soft_wrap=True,
        )

    running: set[subprocess.Popen[bytes]] = set()

    def one(task: tuple[Job, list[str]]) -> int:
        job, arguments = task
        code = _run(arguments, directory / f"{job.name}.log", ranks, running)
        if console is not None:
            outcome = _OUTCOME.get(code, "failed")
            console.print(f"  {job.name}: {outcome}", highlight=False, soft_wrap=True)
        return code

    with ThreadPoolExecutor(workers) as pool:
        try:
            codes = list(pool.map(one, missing))
        except BaseException:  # Ctrl-C: start no more runs; the others stop with checkpoints
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(running):
                process.terminate()
            raise
    stopped = [job.name for (job, _), code in zip(missing, codes, strict=True) if code == STOPPED]
    failed = [
        job.name for (job, _), code in zip(missing, codes, strict=True) if code not in (0, STOPPED)
    ]
    if failed:
        raise ConfigError(
            f"{', '.join(failed)} failed: see {directory / (failed[0] + '.log')}; the same command "
            "continues"
        )
    if stopped:
        raise ConfigError(
            f"stopped before the end of {', '.join(stopped)}: the same command continues"
        )


_OUTCOME = {0: "done", STOPPED: "stopped"}


def _run(arguments: list[str], log: Path, ranks: int, running: set[subprocess.Popen[bytes]]) -> int:
    """Run `epmpi` with these arguments to its end; return its exit code."""
    command = [sys.executable, "-m", "epmpi.cli", *arguments]
    if ranks > 1:
        command = [*mpiexec(), "-n", str(ranks), *command]
    # Not from the working directory, where a file random.py would replace Python's.
    alone = environment(PYTHONSAFEPATH="1")
    with (
        open(log, "ab") as output,
        subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=alone) as process,
    ):
        running.add(process)
        try:
            return process.wait()
        finally:
            running.discard(process)


def mpiexec() -> list[str]:
    """Return the launcher: ``$MPIEXEC`` (with flags), the environment's own, or that on the path.

    Raises
    ------
    ConfigError
        If there is none.
    """
    if given := os.environ.get("MPIEXEC"):
        command = [given] if os.path.isfile(given) else shlex.split(given)  # a path with blanks
        if not command or shutil.which(command[0]) is None:
            raise ConfigError(
                f"MPIEXEC = {given!r} names no program: set it to the launcher, with its options"
            )
        return command
    beside = str(Path(sys.executable).parent)
    found = shutil.which("mpiexec", path=beside) or shutil.which("mpiexec")
    if found is None:
        raise ConfigError(
            "no mpiexec found for runs of several ranks: set --ranks 1, or MPIEXEC to the launcher"
        )
    return [found]
