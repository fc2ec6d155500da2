"""Others that want a run's directory or a file of it.

A second run, where the first was moved, or on a disk without locks; a program that writes.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from fault_runs import Place, Started, Trial
from same_runs import differences

LOCKLESS = Path(__file__).parent / "run_without_locks.py"
WRITER = (
    "import h5py, sys; f = h5py.File(sys.argv[1], 'r+'); print(1, flush=True); sys.stdin.read()"
)
DISKS = ("nothing", "ENOSYS")  # what flock does


def begun(place: Place, name: str, **options) -> Started:
    """Start a run and stop the clock of its processes after its first checkpoint."""
    place.remove(name)
    started = place.run(name, **options)
    started.wait_for((place.directory / name / "checkpoint.h5").exists)
    started.kill(signal.SIGSTOP)
    return started


def ended(started: Started, code: int, expected: str) -> str:
    """Let a run go on; return what is wrong if it does not end so, with one line that says why."""
    started.kill(signal.SIGCONT)
    found = started.wait()
    lines = [line for line in started.text().splitlines() if line.startswith("epmpi: ")]
    good = found == code and len(lines) == 1 and expected in lines[0]
    return "" if good else f"exit code {found}: {started.text()[-300:]}"


def replaced(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield the outcome of a new run in the place of one that was stalled and then continues."""
    path, away = place.directory / "replaced", place.directory / "away"
    ways = [(how, late) for how in ("removed", "moved") for late in (False, True)]
    for how, late in ways[:number]:
        place.remove("away")
        old = begun(place, "replaced", ranks=2)
        if how == "removed":
            shutil.rmtree(path)
        else:
            path.rename(away)
        new = place.run("replaced")
        new.wait_for((path / "checkpoint.h5").exists)
        if late:
            new.wait()
        lost = ended(old, 74, "is not the directory")
        lost = lost or (new.text()[-300:] if new.wait() != 0 else "")
        lost = lost or " ".join(differences(place.reference(), path))
        yield Trial(f"RUN {how}, a new one {'complete' if late else 'begun'}", lost)


def opened_elsewhere(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of a program that had a file open for writing, lives or was killed."""
    for name in ("run.h5", "checkpoint.h5", "segments/*")[:number]:
        place.remove("opened")
        place.start(
            "run", "run.toml", "-o", "opened", "--set", "time.duration=12.5", copied=0
        ).wait()
        path = min((place.directory / "opened").glob(name))
        command = [sys.executable, "-c", WRITER, str(path)]
        writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        writer.stdout.readline()
        refused = place.resume("opened")
        lost = "" if refused.wait() == 2 and "close it there" in refused.text() else refused.text()
        writer.kill()
        writer.communicate()
        going_on = place.resume("opened", "--set", "time.duration=25.0", copied=0)
        lost = lost or (going_on.text()[-300:] if going_on.wait() != 0 else "")
        lost = lost or " ".join(differences(place.reference(), place.directory / "opened"))
        yield Trial(f"{name} open for writing elsewhere, then killed", lost)


def without_locks(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of resuming a run, alive or asleep, where locks do not work."""
    ways = [(flock, machine) for flock in DISKS for machine in ("", "another")]
    for flock, machine in ways[:number]:
        hold = place.directory / "hold"
        here = {"FLOCK": flock, "runner": LOCKLESS, "HOLD": str(hold)}
        hold.touch()  # so that it is there until the second has been refused
        old = begun(place, "unlocked", MACHINE="", **here)
        if machine:  # alive there: seen by its signs
            old.kill(signal.SIGCONT)
        second = place.resume("unlocked", MACHINE=machine, **here)
        code, lost = second.wait(), ""
        hold.unlink()
        if code != 2 or "is in use by process" not in second.text():
            lost = f"exit code {code}: {second.text()[-300:]}"
        lost = lost or (old.text()[-300:] if ended(old, 0, "") and old.wait() != 0 else "")
        lost = lost or " ".join(differences(place.reference(), place.directory / "unlocked"))
        where = "on another machine" if machine else "here"
        yield Trial(f"flock does {flock}: RUN in use {where}", lost)
        if machine:
            old = begun(place, "unlocked", MACHINE="", **here)
            second = place.resume("unlocked", MACHINE=machine, **here)
            lost = second.text()[-300:] if second.wait() != 0 else ""
            lost = lost or ended(old, 74, "has no run.lock any more")
            lost = lost or " ".join(differences(place.reference(), place.directory / "unlocked"))
            yield Trial(f"flock does {flock}: RUN taken over from one asleep", lost)
