"""Targets of fuzzing: parsers of configurations and campaigns, and all readers of a run's files.

An input is a text, or a recipe: a source of choices (`random.Random`) by which a good file is
damaged by bytes, or rebuilt by HDF5 itself with parts missing, of other types, or claiming sizes
that no memory holds.  Each reader must read it or refuse it in one line, within `SECONDS`, and
without asking for `MEMORY` bytes.

The seconds are those of the processor: a machine that stands still accuses nobody.  A library that
hangs cannot be called back from Python, so beyond `HANGS` the system ends the process, which then
leaves its stack: a fuzzer is a process of its own.
"""

from __future__ import annotations

import faulthandler
import random
import resource
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import h5py
import numpy as np
from damage import DAMAGES
from hdf5_mutations import MUTATIONS

from epmpi.analysis import AnalysisError, RunFile
from epmpi.analysis.strips import tracer_strips
from epmpi.campaign.runs import stored
from epmpi.campaign.scan import read_campaign
from epmpi.config import ConfigError, Configuration, describe, from_mapping, load
from epmpi.output import OutputError, export, read_final_fields, segments
from epmpi.output.continuing import find_frames
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice, slabs
from epmpi.run.simulation import Simulation
from epmpi.watch.snapshot import read_snapshot

SECONDS = 20
HANGS = 40
MEMORY = 2**30  # beyond what the process has
REFUSALS = (ConfigError, AnalysisError, OutputError)
SHAPE = (12, 10)
SETTINGS: dict[str, dict[str, Any]] = {
    "lattice": {"shape": SHAPE},
    "tracers": {"number": 9},
    "time": {"warmup": 0.5, "duration": 1.0},
    "output": {"series_every": 0.5, "trajectory_every": 0.5, "fields_every": 0.5},
}
TOKENS = [
    "[lattice]", "shape", "= [64, 64]", "=", "[model]", '"random"', "nan", "inf", "-1", "1e400",
    "0x7f", "[[", "]]", "{", "}", '"', "'''", "\\u0000", "\n", "true", "9" * 40, "2020-01-01",
    "[output]", "#", ".", ",", "é", "\ud7ff", "[scan]", "grid", "points", "seeds", "quantities",
    '"exact"',
    *(item.key for item in describe()),
]  # fmt: skip
CAMPAIGN = b"""
[scan]
seeds = [1, 2]
quantities = ["activity"]
grid = { "model.temperature" = [0.1, 0.2] }
points = [{ "time.step" = 0.05 }, { "lattice.shape" = [32, 16] }]
[time]
duration = 20.0
"""
SEEDS = {  # good texts of each kind
    "configuration": [
        Configuration().to_toml().encode(),
        b"[model]\ntemperature = 0.2\n",
        b"",
        b'[time]\nclock = "exact"\nstep = 1e3\n[tracers]\nevery = 1\n',
    ],
    "override": [
        b"model.temperature=0.2",
        b"lattice.shape=[64,64]",
        b"initial.state=runs/a",
        b"time.clock=exact",
    ],
    "campaign": [CAMPAIGN, b"[scan]\n"],
}


@contextmanager
def limited() -> Iterator[None]:
    """Let a reader fail that takes too long, or asks for memory that no file here is worth."""
    signal.signal(signal.SIGPROF, expire)
    faulthandler.register(signal.SIGXCPU, chain=True)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, hard))
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def expire(number: int, frame: FrameType | None) -> None:
    """End a reader that takes too long."""
    raise TimeoutError


def outcome(read: Callable[[], Any]) -> str:
    """Call a reader; return what is wrong with how it took its input, or an empty text."""
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + HANGS, hard))
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        read()
    except REFUSALS as error:
        lines = str(error).splitlines()
        # All faults of a configuration are reported, a line each below a head.
        number = len(error.args) if isinstance(error, ConfigError) else 1
        if len(lines) not in (1, number + 1):
            return f"{len(lines)} lines: {str(error)[:200]!r}"
        return f"asks for memory: {error}" if isinstance(error.__cause__, MemoryError) else ""
    except TimeoutError:
        return f"took more than {SECONDS} s"
    except BaseException as error:  # what is sought
        return f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return ""


def mutated(text: bytes, chance: random.Random) -> bytes:
    """Return a text with a few bytes or tokens changed."""
    data = bytearray(text)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(5)
        if kind == 0 and data:
            data[at % len(data)] = chance.randrange(256)
        elif kind == 1:
            del data[at : at + chance.randrange(1, 30)]
        elif kind == 2:
            data[at:at] = chance.choice(TOKENS).encode("utf-8", "surrogatepass")
        elif kind == 3:
            data[at:at] = data[(b := chance.randrange(len(data) + 1)) : b + chance.randrange(60)]
        else:
            lines = bytes(data).split(b"\n")
            chance.shuffle(lines)
            data = bytearray(b"\n".join(lines))
    return bytes(data[:20_000])


class Texts:
    """Parsers of texts of one kind, one of `SEEDS`."""

    def __init__(self, kind: str, directory: Path) -> None:
        self.kind = kind
        self._path = directory / f"{kind}.toml"

    def take(self, text: bytes) -> list[tuple[str, str]]:
        """Return the parser and what is wrong with how it took a text."""
        if self.kind == "override":
            shown = text.decode(errors="surrogateescape")
            return [(self.kind, outcome(lambda: Configuration().with_overrides([shown])))]
        self._path.write_bytes(text)
        parse = load if self.kind == "configuration" else read_campaign
        return [(self.kind, outcome(lambda: parse(self._path)))]

    def follow(self, chance: random.Random) -> list[tuple[str, str]]:
        """Do the same with a good text, changed by a recipe."""
        return self.take(mutated(chance.choice(SEEDS[self.kind]), chance))


class Files:
    """Readers of run.h5, of its segments and of checkpoint.h5."""

    def __init__(self, directory: Path) -> None:
        self._good = [
            good_run(directory / "plain"),
            good_run(directory / "exact", clock="exact"),
            segmented_run(directory / "parts"),
        ]
        self._run = directory / "fuzzed"
        self._readers = readers(self._run)
        for good in self._good:  # compiles what a restart needs, before the memory is limited
            shutil.copytree(good, self._run, dirs_exist_ok=True)
            for read in self._readers.values():
                read()

    def follow(self, chance: random.Random) -> list[tuple[str, str]]:
        """Damage a file by a recipe; return each reader and what is wrong with how it took it."""
        good = chance.choice(self._good)
        shutil.rmtree(self._run)
        shutil.copytree(good, self._run)
        files = sorted(path.relative_to(good) for path in good.rglob("*.h5"))
        name = chance.choice([path for path in files if path.stem != "checkpoint.previous"])
        path = self._run / name
        if chance.random() < 0.25:
            spoil = chance.choice(list(DAMAGES.values()))
            path.write_bytes(spoil(bytearray(path.read_bytes()), chance))
        else:
            with h5py.File(path, "r+") as file:
                for _ in range(chance.choice((1, 1, 2, 4))):
                    # What the one before has done may be in the way of the next.
                    with suppress(OSError, RuntimeError, LookupError, ValueError, TypeError):
                        chance.choice(MUTATIONS)(file, chance)
        of_checkpoint = name.stem == "checkpoint"
        return [
            (what, outcome(read))
            for what, read in self._readers.items()
            if what.startswith("checkpoint") == of_checkpoint
        ]


def readers(run: Path) -> dict[str, Callable[[], Any]]:
    """Return every reader of a run's files, as one call each."""
    communicator = Communicator.world()
    slab = slabs(Lattice(SHAPE), 1)[0]

    def resumed() -> None:
        checkpoint = Simulation.resume(run)._course.checkpoint
        if checkpoint is not None:
            checkpoint.release()

    def analysed() -> None:
        with RunFile(run) as file:
            file.provenance()
            for name in ("activity", "stress_mean"):
                if file.has(f"observables/{name}"):
                    file.series(name)
            if file.parameter("output", "events"):
                file.events()
            if file.has("fields/stress"):
                file.field("stress", -1)
            if file.has("particles/tracers/position"):
                for _ in tracer_strips(file):
                    pass

    return {
        "checkpoint": resumed,
        "checkpoint as initial state": lambda: read_final_fields(
            run / "checkpoint.h5", slab, communicator
        ),
        "run.h5 to continue": lambda: find_frames(run, "fuzzed", {"observables/activity": 3}),
        "run.h5 to analyse": analysed,
        "run.h5 to export": lambda: export(run, run / "export"),
        "run.h5 to watch": lambda: read_snapshot(run),
        "run.h5 of a campaign": lambda: stored(run),
        "run.h5 as initial state": lambda: read_final_fields(run / "run.h5", slab, communicator),
    }


def good_run(directory: Path, clock: str = "steps") -> Path:
    """Return a short run."""
    settings = SETTINGS | {"time": SETTINGS["time"] | {"clock": clock}}
    settings["output"] = settings.get("output", {}) | {"events": clock == "exact"}
    run = Simulation(from_mapping(settings)).run(directory, progress=False)
    name_it(run / "run.h5")
    return run


def segmented_run(directory: Path) -> Path:
    """Return a short run of two segments."""
    run = Simulation(from_mapping(SETTINGS)).run(directory, progress=False)
    before, segments.COPIED = segments.COPIED, 0
    try:
        Simulation.resume(run, ["time.duration=2.0"]).run(progress=False)
    finally:
        segments.COPIED = before
    name_it(run / "run.h5")
    return run


def name_it(path: Path) -> None:
    """Give a run the identity that the readers expect."""
    with h5py.File(path, "r+") as file:
        file["parameters"].attrs["run"] = "fuzzed"
