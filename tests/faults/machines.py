"""What a machine may do to a run, or a user: signals, a second run, a stall, a clock set back."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from fault_runs import CONFIGURATION, Place, Trial
from same_runs import differences


def two_runs(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of resuming a run that is going on."""
    for _ in range(number):
        place.remove("twice")
        first = place.run("twice")
        first.wait_for("epmpi 0")
        while not (place.directory / "twice" / "checkpoint.h5").exists():
            time.sleep(0.01)
        first.kill(signal.SIGSTOP)  # so that it is there until the second has been refused
        second = place.resume("twice")
        code = second.wait()
        first.kill(signal.SIGCONT)
        lost = "" if code == 2 and "is in use by process" in second.text() else second.text()
        if first.wait() != 0:
            lost += first.text()
        else:
            lost += " ".join(differences(place.reference(), place.directory / "twice"))
        yield Trial("two runs in one directory", lost)


def stalled(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of a rank that stands still for two seconds."""
    for _ in range(number):
        place.remove("stalled")
        started = place.run("stalled", ranks=2)
        started.wait_for("epmpi 0")
        time.sleep(0.5)
        os.kill(started.ranks()[1], signal.SIGSTOP)
        time.sleep(2.0)
        os.kill(started.ranks()[1], signal.SIGCONT)
        lost = started.text()[-300:] if started.wait() != 0 else ""
        lost = lost or " ".join(differences(place.reference(), place.directory / "stalled"))
        yield Trial("a rank stalls for 2 s", lost)


def stopped(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of the signals of batch systems, sent to one rank or to the launcher."""
    for signal_number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)[:number]:
        place.remove("stopped")
        started = place.run("stopped", ranks=2)
        started.wait_for("epmpi 0")
        time.sleep(0.3)
        started.kill(signal_number, 1)
        code = started.wait()
        lost = "" if code == 75 else f"exit code {code}: {started.text()[-300:]}"
        if not lost and place.resume("stopped", ranks=3).wait() != 0:
            lost = "resume failed"
        lost = lost or " ".join(differences(place.reference(), place.directory / "stopped"))
        yield Trial(f"{signal.Signals(signal_number).name}", lost)


def clock_backwards(directory: Path, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of the time of day being set back at every look at it."""
    place = Place(directory / "clock", CONFIGURATION + "\n[run]\nwalltime = 300.0\n")
    (place.directory / "sitecustomize.py").write_text(
        "import time\nnow = time.time()\n"
        "def earlier():\n    global now\n    now -= 3600\n    return now\n"
        "time.time = earlier\n"
    )
    started = place.start("run", "run.toml", "-o", "back", ranks=1, PYTHONPATH=str(place.directory))
    lost = started.text()[-300:] if started.wait() != 0 else ""
    lost = lost or " ".join(differences(place.reference(), place.directory / "back"))
    yield Trial("clock going backwards", lost)
