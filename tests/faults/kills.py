"""SIGKILL at random instants: the run is resumed, perhaps killed again, and compared in the end."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
from fault_runs import Place, Trial
from same_runs import differences

KILLS_A_RUN = 5
SPAN = 1.5  # seconds after its start within which a run is killed


def kill_at_random(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of `number` kills, on 1 to 3 ranks, of one rank or of all.

    A run takes up to `KILLS_A_RUN` kills, its rank count changing from one to the next; the trials
    of a run share the verdict of the comparison in its end.
    """
    chance = random.Random(seed)
    whole = place.reference()
    left = number
    while left > 0:
        faults = [fault for fault in kill_run(place, chance, min(left, KILLS_A_RUN)) if fault]
        lost = finish(place, whole, chance)
        left -= len(faults)
        yield from (Trial(fault, lost) for fault in faults)
        place.remove("killed")


def kill_run(place: Place, chance: random.Random, number: int) -> Iterator[str]:
    """Kill a run, and what resumes it, up to `number` times; yield what was done."""
    path = place.directory / "killed"
    for _ in range(number):
        ranks, copied = chance.choice((1, 2, 3)), chance.choice((0, 300_000, 10**9))
        fresh = not (path / "checkpoint.h5").exists()
        if fresh:
            place.remove("killed")
        begin = place.run if fresh else place.resume
        started = begin("killed", ranks=ranks, copied=copied)
        started.wait_for("epmpi 0")
        time.sleep(chance.uniform(0, SPAN))
        if started.process.poll() is not None:
            return  # it has come to its end
        rank = chance.choice((None, chance.randrange(ranks))) if ranks > 1 else None
        started.kill(signal.SIGKILL, rank)
        if started.wait() == 124:
            yield "hangs after SIGKILL"
        yield f"SIGKILL of {'all' if rank is None else 'one'} of {ranks} ranks"


def finish(place: Place, whole: Path, chance: random.Random) -> str:
    """Resume a run to its end and return what is wrong with it."""
    path = place.directory / "killed"
    if not (path / "checkpoint.h5").exists():
        return ""  # killed before its start was on the disk: nothing to lose
    wrong = unreadable(path / "run.h5")
    started = place.resume("killed", ranks=chance.choice((1, 2, 3)))
    code = started.wait()
    if code != 0:
        return f"{wrong} resume ended with {code}: {started.text()[-300:]}"
    if differ := differences(whole, path):
        return f"{wrong} differs in {differ[:3]}"
    return wrong


def unreadable(path: Path) -> str:
    """Return why a file cannot be read in full, or an empty text."""
    try:
        with h5py.File(path, "r") as file:
            file.visititems(lambda _, item: None if hasattr(item, "keys") else (item[()], None)[1])
    except (OSError, RuntimeError) as error:
        return f"{path} cannot be read: {error}"
    return ""
