"""SIGKILL at random instants: the run is resumed, perhaps killed again, and compared in the end."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
from fault_runs import Place, Trial
from same_runs import differences

KILLS_A_RUN = 5
SPAN = 1.5  # seconds after its start within which a run is killed
PARTIAL = {  # what a kill leaves behind tells what it has interrupted, the first of these
    "checkpoint.h5.partial": "inside a checkpoint",
    "run.h5.index": "inside a publication",
    "run.h5.partial": "with run.h5.partial open",
}


def kill_at_random(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of `number` kills, on 1 to 3 ranks, of one rank or of all.

    A run takes up to `KILLS_A_RUN` kills, its rank count changing from one to the next; the trials
    of a run share the verdict of the comparison in its end.
    """
    chance = random.Random(seed)
    whole = place.reference()
    left = number
    while left > 0:
        kills = list(kill_run(place, chance, min(left, KILLS_A_RUN)))
        lost = finish(place, whole, chance)
        left -= len(kills)
        yield from (Trial(kill.fault, kill.lost or lost, kill.during) for kill in kills)
        place.remove("killed")


def kill_run(place: Place, chance: random.Random, number: int) -> Iterator[Trial]:
    """Kill a run, and what resumes it, up to `number` times; yield what each kill has left."""
    path = place.directory / "killed"
    for _ in range(number):
        ranks, copied = chance.choice((1, 2, 3)), chance.choice((0, 300_000, 10**9))
        # Killed before its first checkpoint, it is begun anew in the same directory.
        fresh = not (path / "checkpoint.h5").exists()
        before = left_behind(path)
        begin = place.run if fresh else place.resume
        started = begin("killed", ranks=ranks, copied=copied)
        started.wait_for(started.has_begun)
        time.sleep(chance.uniform(0, SPAN))
        if started.process.poll() is not None:
            return  # it has come to its end
        rank = chance.choice((None, chance.randrange(ranks))) if ranks > 1 else None
        started.kill(signal.SIGKILL, rank)
        hangs = "the others hang" if started.wait() == 124 else ""
        after = left_behind(path)
        during = next((PARTIAL[name] for name in after if after[name] != before.get(name)), "")
        yield Trial(
            f"SIGKILL of {'all' if rank is None else 'one'} of {ranks} ranks",
            hangs or lost_frames(path),
            during or "between writes",
        )


def kill_in_the_middle(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of kills after a checkpoint of a state that is no longer the first."""
    path, whole, chance = place.directory / "killed", place.reference(), random.Random(seed)
    for ranks in (1, 2, 3)[:number]:
        place.remove("killed")
        started = place.run("killed", ranks=ranks)
        begun = started.wait_for(lambda: saved_step(path) > 0)
        ended = started.process.poll() is not None
        started.end()
        lost = "" if begun and not ended else "it had come to its end: nothing tried"
        yield Trial("SIGKILL in the middle", lost or finish(place, whole, chance))
        place.remove("killed")


def saved_step(path: Path) -> int:
    """Return the step of the last checkpoint; -1 without one."""
    if not (path / "checkpoint.h5").exists():
        return -1
    with h5py.File(path / "checkpoint.h5") as saved:
        return int(json.loads(bytes(saved["header"][()]))["step_count"])


def left_behind(path: Path) -> dict[str, tuple[int, int]]:
    """Return the unfinished files, with what distinguishes them from earlier ones."""
    there = (path / name for name in PARTIAL if (path / name).exists())
    return {file.name: (file.stat().st_ino, file.stat().st_mtime_ns) for file in there}


def lost_frames(path: Path) -> str:
    """Return what run.h5 lacks of what the last checkpoint counts on, or an empty text."""
    if not (path / "checkpoint.h5").exists():
        return ""  # killed before its start was on the disk: nothing to lose
    if wrong := unreadable(path / "run.h5"):
        return wrong
    with h5py.File(path / "checkpoint.h5") as saved, h5py.File(path / "run.h5") as file:
        frames = json.loads(bytes(saved["header"][()]))["frames"]
        for name, count in frames.items():
            if name == "events":  # has no steps: its events end one after the other
                steps = file["events/start"][()] + file["events/duration"][()]
            else:
                steps = file[f"{name}/step"][()]
            if len(steps) < count or np.any(np.diff(steps) <= 0):
                return f"{name} has the steps {steps}, the checkpoint counts on {count} frames"
    return ""


def finish(place: Place, whole: Path, chance: random.Random) -> str:
    """Resume a run to its end and return what is wrong with it."""
    path = place.directory / "killed"
    begin = place.resume if (path / "checkpoint.h5").exists() else place.run
    started = begin("killed", ranks=chance.choice((1, 2, 3)))
    code = started.wait()
    if code != 0:
        return f"resume ended with {code}: {started.text()[-300:]}"
    return f"differs in {differ[:3]}" if (differ := differences(whole, path)) else ""


def unreadable(path: Path) -> str:
    """Return why a file cannot be read in full, or an empty text."""
    try:
        with h5py.File(path, "r") as file:
            file.visititems(lambda _, item: None if hasattr(item, "keys") else (item[()], None)[1])
    except (OSError, RuntimeError) as error:
        return f"{path} cannot be read: {error}"
    return ""
