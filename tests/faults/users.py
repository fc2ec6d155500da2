"""Faults of people and programs around a run: loops, leftovers of others, a rank that fails."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

from fault_runs import Place, Trial
from same_runs import differences

LOOP = Path(__file__).parent / "run_in_a_loop.py"
FAILING = Path(__file__).parent / "run_that_fails.py"
FAILURES = ((0, "MPI", 1), (1, "bug", 1), (1, "memory", 71), (0, "output", 74))
NOBODY = 65534  # a user without rights
TOO_LONG = "x" * 300


def interrupted_loop(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of Ctrl-C in a loop over runs in Python."""
    for _ in range(number):
        for name in ("first", "second"):
            place.remove(name)
        loop = place.start("first", "second", runner=LOOP)
        loop.wait_for((place.directory / "first" / "checkpoint.h5").exists)
        loop.kill(signal.SIGINT, 0)
        code, lost = loop.wait(), ""
        if code == 0 or "stopped (SIGINT), with a checkpoint in first" not in loop.text():
            lost = f"exit code {code}: {loop.text()[-300:]}"
        if (place.directory / "second").exists():
            lost += " the loop began another run"
        again = place.resume("first")
        lost = lost or (again.text()[-300:] if again.wait() != 0 else "")
        lost = lost or " ".join(differences(place.reference(), place.directory / "first"))
        yield Trial("Ctrl-C in a loop over runs in Python", lost)


def failing_rank(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of an exception of one rank between two collective calls."""
    for rank, kind, expected in FAILURES[:number]:
        place.remove("failing")
        started = place.run("failing", ranks=2, runner=FAILING, RANK=str(rank), KIND=kind)
        code = started.wait()
        seen = f"rank {rank} of 2" in started.text()
        lost = "" if code == expected and seen else f"exit code {code}: {started.text()[-300:]}"
        again = place.resume("failing", ranks=3)
        lost = lost or (again.text()[-300:] if again.wait() != 0 else "")
        lost = lost or " ".join(differences(place.reference(), place.directory / "failing"))
        yield Trial(f"{kind} on rank {rank} in the middle of a checkpoint", lost)


def left_lock(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of a run.lock that another user's run, which was killed, has left."""
    for _ in range(number):
        place.remove("left")
        first = place.run("left")
        first.wait_for((place.directory / "left" / "checkpoint.h5").exists)
        first.end()
        lock = place.directory / "left" / "run.lock"
        lock.chmod(0o444)
        if os.getuid() == 0:
            os.chown(lock, NOBODY, NOBODY)
        again = place.resume("left")
        lost = again.text()[-300:] if again.wait() != 0 else ""
        lost = lost or " ".join(differences(place.reference(), place.directory / "left"))
        yield Trial("run.lock left by a killed run of another user", lost)


def unreachable(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what every command says of a path that cannot be reached."""
    for command in (["resume"], ["analyse"], ["export"], ["watch", "--once"])[:number]:
        asked = place.start(*command, TOO_LONG)
        code, lines = asked.wait(), asked.text().splitlines()
        good = code == 2 and len(lines) == 1 and "File name too long" in lines[0]
        yield Trial(f"{command[0]} of a path that is too long", "" if good else asked.text()[-300:])
