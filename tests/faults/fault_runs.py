"""Runs that are made to fail: started, killed, resumed, and compared with one that was not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import launching

RUNNER = Path(__file__).parent / "frequent_run.py"
CONFIGURATION = """
[lattice]
shape = [21, 16]
[model]
temperature = 0.2
[tracers]
number = 50
[time]
warmup = 5.0
duration = 25.0
[output]
series_every = 0.5
trajectory_every = 1.0
fields_every = 2.5
waiting_times_every = 5.0
checkpoint_every = 0.2
"""
TIMEOUT = 120.0  # seconds without a word, after which a run hangs


@dataclass
class Trial:
    """What came of one fault: `lost` says what was wrong, if anything; `during`, what it hit."""

    fault: str
    lost: str = ""
    during: str = ""


@dataclass
class Started:
    """A run under way."""

    process: subprocess.Popen[str]
    pids: Path
    output: Path
    killed: list[int] = field(default_factory=list)

    def wait(self) -> int:
        """Return the exit code; a run that is silent for `TIMEOUT` is ended and told by 124."""
        said, since = -1, time.monotonic()
        while self.process.poll() is None:
            if (size := self.output.stat().st_size) != said:
                said, since = size, time.monotonic()
            elif time.monotonic() - since > TIMEOUT:
                self.kill(signal.SIGKILL)
                return 124
            time.sleep(0.01)
        return self.process.returncode

    def text(self) -> str:
        """Return what it has printed."""
        return self.output.read_text(errors="replace")

    def wait_for(self, text: str) -> bool:
        """Wait until it has printed something; False if it ended without."""
        end = time.monotonic() + TIMEOUT
        while text not in self.text():
            if self.process.poll() is not None or time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def ranks(self) -> dict[int, int]:
        """Return the process of each rank."""
        names = [path.name.split(".") for path in self.pids.iterdir()]
        return {int(rank): int(pid) for rank, pid in names}

    def kill(self, number: int, rank: int | None = None) -> None:
        """Send a signal to one rank, or to all and the launcher."""
        for this, pid in self.ranks().items():
            if rank in (None, this):
                send(pid, number)
        if rank is None:
            send(self.process.pid, number)


def send(pid: int, number: int) -> None:
    """Send a signal to a process that may have ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


class Place:
    """A directory with a configuration, for runs of it."""

    def __init__(self, directory: Path, configuration: str = CONFIGURATION) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "run.toml").write_text(configuration)
        self._count = 0

    def start(
        self, *arguments: str | Path, ranks: int = 1, copied: int = 10**9, **variables: str
    ) -> Started:
        """Start the command line with these arguments on some ranks."""
        self._count += 1
        pids = self.directory / f"pids{self._count}"
        pids.mkdir()
        output = self.directory / f"output{self._count}"
        command = launching.python(
            *map(str, (RUNNER, pids, copied, *arguments)), ranks=ranks if ranks > 1 else None
        )
        with open(output, "w") as file:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, text=True,
                env=launching.environment(**launching.PATIENT, **variables), cwd=self.directory,
                start_new_session=True,
            )  # fmt: skip
        return Started(process, pids, output)

    def run(self, name: str, **options: Any) -> Started:
        """Start a new run."""
        return self.start("run", "run.toml", "-o", name, **options)

    def resume(self, name: str, *arguments: str, **options: Any) -> Started:
        """Start to resume a run."""
        return self.start("resume", name, *arguments, **options)

    def reference(self) -> Path:
        """Return a run that nothing happened to; made once."""
        path = self.directory / "whole"
        if not path.exists():
            started = self.run("whole")
            if started.wait() != 0:
                raise RuntimeError(f"the run without faults failed: {started.text()}")
        return path

    def remove(self, name: str) -> None:
        """Remove a run."""
        shutil.rmtree(self.directory / name, ignore_errors=True)
