"""Faults of machines and users: signals, a second run, a stall, a clock, a NaN."""

from __future__ import annotations

import os
import random
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from fault_runs import CONFIGURATION, Place, Trial
from same_runs import differences
from stepped import call_at_steps

from epmpi.config import load
from epmpi.model.state import StateError
from epmpi.run.simulation import Simulation

FEW_FILES = Path(__file__).parent / "run_with_few_files.py"
UNHEARD = Path(__file__).parent / "run_unheard.py"
WORDS = ("a full disk", "a closed pipe", "closed descriptors")  # where they go
STOPPING = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGINT)
OUTPUT_INTERVAL = 10  # steps: series_every = 0.5 in steps of 0.05


def two_runs(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of resuming a run that is going on."""
    for _ in range(number):
        place.remove("twice")
        first = place.run("twice")
        first.wait_for((place.directory / "twice" / "checkpoint.h5").exists)
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
    """Yield the outcome of a rank that is stalled for two seconds."""
    for _ in range(number):
        place.remove("stalled")
        started = place.run("stalled", ranks=2)
        started.wait_for(started.has_begun)
        time.sleep(0.5)
        os.kill(started.ranks()[1], signal.SIGSTOP)
        time.sleep(2.0)
        os.kill(started.ranks()[1], signal.SIGCONT)
        lost = started.text()[-300:] if started.wait() != 0 else ""
        lost = lost or " ".join(differences(place.reference(), place.directory / "stalled"))
        yield Trial("a rank stalls for 2 s", lost)


def stalled_for_ever(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield the outcome of a rank that is stalled for ever: the root, or another one."""
    for rank in (1, 0)[:number]:
        place.remove("stalled")
        limit = ("--set", "run.stall_limit=6")  # on a busy machine a rank may stand for a while
        started = place.start("run", "run.toml", "-o", "stalled", *limit, ranks=2)
        started.wait_for((place.directory / "stalled" / "checkpoint.h5").exists)
        started.kill(signal.SIGSTOP, rank)
        code = started.wait()
        lost = "" if code == 75 else f"exit code {code}: {started.text()[-300:]}"
        time.sleep(2.0)  # the launcher may end before its ranks
        if not lost and place.resume("stalled", ranks=2).wait() != 0:
            lost = "resume failed"
        lost = lost or " ".join(differences(place.reference(), place.directory / "stalled"))
        yield Trial("a rank stands still for ever, run.stall_limit", lost)


def insisted(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield the outcome of a second signal to a rank that waits for a stalled one."""
    for signal_number in (signal.SIGTERM, signal.SIGINT)[:number]:
        place.remove("insisted")
        started = place.run("insisted", ranks=2)
        started.wait_for((place.directory / "insisted" / "checkpoint.h5").exists)
        started.kill(signal.SIGSTOP, 1)
        time.sleep(0.5)
        for _ in range(20):  # two are enough, unless the rank hears the first late
            if started.process.poll() is None:
                started.kill(signal_number, 0)
                time.sleep(1.5)
        message, code = "came, and the run cannot stop: ended at once", started.wait()
        lost = "" if code and message in started.text() else f"{code}: {started.text()[-300:]}"
        again = place.resume("insisted", ranks=2)
        lost = lost or (again.text()[-300:] if again.wait() != 0 else "")
        lost = lost or " ".join(differences(place.reference(), place.directory / "insisted"))
        yield Trial(f"a second {signal.Signals(signal_number).name}, a rank standing still", lost)


def stopped(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of the signals of batch systems, sent to one rank or to the launcher."""
    for signal_number in STOPPING[:number]:
        place.remove("stopped")
        started = place.run("stopped", ranks=2)
        started.wait_for(started.has_begun)
        time.sleep(0.3)
        started.kill(signal_number, 1)
        code = started.wait()
        lost = "" if code == 75 else f"exit code {code}: {started.text()[-300:]}"
        if not lost and place.resume("stopped", ranks=3).wait() != 0:
            lost = "resume failed"
        lost = lost or " ".join(differences(place.reference(), place.directory / "stopped"))
        yield Trial(f"{signal.Signals(signal_number).name}", lost)


def stopped_at_start(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of signals to a run that loads its modules, starts MPI or compiles."""
    chance = random.Random(seed)
    for signal_number in STOPPING[:3][:number]:  # SIGINT ends it, for there is nothing to save
        place.remove("early")
        started = place.run("early", ranks=2)
        started.wait_for(lambda: len(started.ranks()) == 2)  # noqa: B023
        time.sleep(chance.uniform(0.02, 0.6))
        started.kill(signal_number, 1)
        code = started.wait()
        lost = "" if code == 75 else f"exit code {code}: {started.text()[-300:]}"
        if not lost and place.resume("early").wait() != 0:
            lost = "resume failed"
        lost = lost or " ".join(differences(place.reference(), place.directory / "early"))
        yield Trial(f"{signal.Signals(signal_number).name} while a run starts", lost)


def stale_end(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of runs whose environment tells the end of a job of the past."""
    for _ in range(number):
        place.remove("stale")
        job = {"SLURM_JOB_ID": "17", "SLURM_JOB_END_TIME": str(int(time.time()) - 3600)}
        started = place.run("stale", ranks=2, **job)
        lost = started.text()[-300:] if started.wait() != 0 else ""
        lost = lost or " ".join(differences(place.reference(), place.directory / "stale"))
        yield Trial("SLURM_JOB_END_TIME of the past", lost)


def few_files(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of reading a run of segments where too few files may be open."""
    place.remove("parts")
    written = place.run("parts", copied=0)
    failed = written.text()[-300:] if written.wait() != 0 else ""
    limits = ((24, 4096, 0, ""), (24, 24, 2, "raise the hard limit to"))
    for soft, hard, code, message in limits[:number]:
        files = {"runner": FEW_FILES, "FILES": f"{soft},{hard}"}
        read = place.start("export", "parts", **files)
        found = read.wait()
        good = found == code and message in read.text() and read.text().count("Traceback") == 0
        lost = failed or ("" if good else f"exit code {found}: {read.text()[-300:]}")
        lost = lost or " ".join(differences(place.reference(), place.directory / "parts"))
        yield Trial(f"open files: {soft}, may be raised to {hard}", lost)


def unheard(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of a run whose standard output and error go nowhere."""
    for words in WORDS[:number]:
        place.remove("unheard")
        code = place.run("unheard", ranks=2, runner=UNHEARD, WORDS=words).wait()
        lost = f"exit code {code}" if code else ""
        lost = lost or " ".join(differences(place.reference(), place.directory / "unheard"))
        yield Trial(f"words to {words}", lost)


def clock_backwards(directory: Path, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of the time of day being set back at every look at it."""
    place = Place(directory / "clock", CONFIGURATION + "\n[run]\nwalltime = 300.0\n")
    (place.directory / "sitecustomize.py").write_text(
        "import time\nnow = time.time()\n"
        "def earlier():\n    global now\n    now -= 3600\n    return now\n"
        "time.time = earlier\n"
    )
    paths = os.pathsep.join([str(place.directory), os.environ.get("PYTHONPATH", "")])
    started = place.start("run", "run.toml", "-o", "back", ranks=1, PYTHONPATH=paths)
    lost = started.text()[-300:] if started.wait() != 0 else ""
    lost = lost or " ".join(differences(place.reference(), place.directory / "back"))
    yield Trial("clock going backwards", lost)


def poison(simulation: Simulation, last: int, what: str, wrong: float, at: float) -> None:
    """Let a number of the state be wrong from step `last` on; `at`, from 0 to 1, says which."""
    model = simulation.model

    def spoil() -> None:
        if model.step_count == last:
            target = model.stress if what == "stress" else model.tracers.position
            target[np.unravel_index(int(at * target.size), target.shape)] = wrong

    call_at_steps(model, after=spoil)


def not_a_number(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of NaN and infinities in the stress or a position, at random steps."""
    chance = random.Random(seed)
    configuration = load(place.directory / "run.toml")
    steps = configuration.steps(configuration.time.warmup + configuration.time.duration)
    path = place.directory / "poisoned"
    for what in ("stress", "position")[:number] * max(1, number // 2):
        place.remove("poisoned")
        simulation, message = Simulation(configuration), ""
        last = chance.randrange(1, steps)
        poison(simulation, last, what, chance.choice((np.nan, np.inf, -np.inf)), chance.random())
        try:
            simulation.run(path, progress=False)
        except StateError as error:
            message = str(error)
        found = re.fullmatch(r"(?:stress.* site|tracer) .* at step (\d+) .*is good", message)
        if not found or not last <= int(found[1]) <= last + OUTPUT_INTERVAL:
            lost = f"poisoned at step {last}: {message or 'nothing was said'}"
        else:
            Simulation.resume(path).run(progress=False)
            lost = " ".join(differences(place.reference(), path))
        yield Trial(f"NaN or infinity in the {what}", lost)
