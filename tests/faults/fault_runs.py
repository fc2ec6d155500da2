"""Runs that are made to fail: started, killed, resumed, and compared with one that was not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import launching

from epmpi.config import load
from epmpi.run.simulation import Simulation

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
OF_THE_EXACT_CLOCK = CONFIGURATION.replace(
    "duration = 25.0", 'duration = 60.0\nclock = "exact"\nstep = 0.25'
).replace("[output]", "[output]\nevents = true")
TIMEOUT = 120.0  # seconds without a word, after which a run hangs
LONGEST_LOOK = 0.1  # seconds: one that took longer was held up with the run, by a busy machine


class Patience:
    """Seconds of waiting for something, without those in which the one who waits stood still too.

    Parameters
    ----------
    seconds : float
        Of waiting, after which it is over.
    """

    def __init__(self, seconds: float = TIMEOUT) -> None:
        self._left = self._seconds = seconds
        self._seen = time.monotonic()

    def look(self, interval: float = 0.01) -> bool:
        """Sleep until the next look; False when there is none, for patience is over."""
        time.sleep(interval)
        now = time.monotonic()
        self._left -= min(now - self._seen, LONGEST_LOOK)
        self._seen = now
        return self._left > 0

    def renew(self) -> None:
        """Begin to wait anew."""
        self._left = self._seconds


@dataclass
class Trial:
    """Outcome of a fault: `lost` is the damage, if any; `during` the activity that it hit."""

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
        """Return the exit code; a run that is silent for `TIMEOUT` is ended, with 124."""
        said, patience = -1, Patience()
        while self.process.poll() is None:
            if (size := self.output.stat().st_size) != said:
                said = size
                patience.renew()
            if not patience.look():
                self.end()
                return 124
        return self.process.returncode

    def text(self) -> str:
        """Return what it has printed."""
        return self.output.read_text(errors="replace")

    def wait_for(self, there: Callable[[], bool]) -> bool:
        """Wait until something is there; False if the run ended without, or is ended in vain."""
        patience = Patience()
        while not there():
            if self.process.poll() is not None:
                return there()
            if not patience.look(0.005):
                self.end()
                return False
        return True

    def end(self) -> None:
        """Kill it whatever it does."""
        self.kill(signal.SIGKILL)
        self.process.wait(TIMEOUT)

    def has_begun(self) -> bool:
        """Tell whether it has printed its first line."""
        return "epmpi 0" in self.text()

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
        self,
        *arguments: str | Path,
        ranks: int = 1,
        copied: int = 10**9,
        runner: Path = RUNNER,
        **variables: str,
    ) -> Started:
        """Start the command line with these arguments on some ranks."""
        self._count += 1
        pids = self.directory / f"pids{self._count}"
        pids.mkdir()
        output = self.directory / f"output{self._count}"
        command = launching.python(
            *map(str, (runner, pids, copied, *arguments)), ranks=ranks if ranks > 1 else None
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
        """Return a run that nothing happened to; made once, in this process."""
        path = self.directory / "whole"
        if not path.exists():
            Simulation(load(self.directory / "run.toml")).run(path, progress=False)
        return path

    def remove(self, name: str) -> None:
        """Remove a run."""
        shutil.rmtree(self.directory / name, ignore_errors=True)
