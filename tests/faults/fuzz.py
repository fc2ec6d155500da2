"""Fuzzing of the configuration parser and of every reader: refused in one line, or read.

usage: PYTHONPATH=tests:tests/faults:tools python tests/faults/fuzz.py [--inputs N] [--seed N]

Inputs are mutations of good ones.  Texts are mutated by bytes and by tokens, and guided by
coverage: one that reaches a line of epmpi which none before has reached is mutated further.  Files
are damaged by bytes, and rebuilt by HDF5 itself with parts missing, of other types, or claiming
sizes that no memory holds.  Each input has `SECONDS`, and the process `MEMORY` bytes.
"""

from __future__ import annotations

import argparse
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import h5py
import numpy as np
from damage import DAMAGES
from hdf5_mutations import MUTATIONS

from epmpi.analysis import AnalysisError, RunFile
from epmpi.config import ConfigError, Configuration, from_mapping, load
from epmpi.lattice import Lattice, slabs
from epmpi.output import OutputError, export, read_final_fields
from epmpi.output.continuing import find_frames
from epmpi.parallel import Communicator
from epmpi.simulation import Simulation

SECONDS = 20
MEMORY = 8 * 2**30
REFUSALS = (ConfigError, AnalysisError, OutputError)
SHAPE = (12, 10)
TOKENS = [
    "[lattice]", "shape", "= [64, 64]", "=", "[model]", '"random"', "nan", "inf", "-1", "1e400",
    "0x7f", "[[", "]]", "{", "}", '"', "'''", "\\u0000", "\n", "true", "9" * 40, "temperature",
    "[output]", "fields_every", "2020-01-01", "#", ".", ",", "é", "\ud7ff", "[time]", "step",
]  # fmt: skip


def one_line(read: Callable[[], Any]) -> str:
    """Call a reader; return what is wrong with how it took its input, or an empty text."""
    signal.alarm(SECONDS)
    try:
        read()
    except REFUSALS as error:
        lines = str(error).splitlines()
        return "" if len(lines) == 1 else f"{len(lines)} lines: {str(error)[:200]!r}"
    except TimeoutError:
        return f"took more than {SECONDS} s"
    except BaseException as error:  # what is sought
        return f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        signal.alarm(0)
    return ""


class Coverage:
    """Tells whether a call has reached lines of the configuration that none before has reached."""

    def __init__(self) -> None:
        self.lines: set[tuple[str, int]] = set()

    def call(self, read: Callable[[], Any]) -> tuple[str, bool]:
        """Return what is wrong, and whether the call reached new lines."""
        before = len(self.lines)
        sys.settrace(self._enter)
        try:
            wrong = one_line(read)
        finally:
            sys.settrace(None)
        return wrong, len(self.lines) > before

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._line if "epmpi/config" in frame.f_code.co_filename else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        self.lines.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line


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


def texts(directory: Path, number: int, chance: random.Random) -> Iterator[tuple[str, str]]:
    """Yield what came of mutated configurations and overrides."""
    corpus = [Configuration().to_toml().encode(), b"[model]\ntemperature = 0.2\n", b""]
    overrides = [b"model.temperature=0.2", b"lattice.shape=[64,64]", b"initial.state=runs/a"]
    coverage, path = Coverage(), directory / "a.toml"
    for count in range(number):
        if count % 4:
            text = mutated(chance.choice(corpus), chance)
            path.write_bytes(text)
            wrong, new = coverage.call(lambda: load(path))
            corpus += [text] if new else []
            yield "configuration", wrong
        else:
            text = mutated(chance.choice(overrides), chance)
            shown = text.decode(errors="surrogateescape")
            wrong, new = coverage.call(lambda shown=shown: Configuration().with_overrides([shown]))
            overrides += [text] if new else []
            yield "override", wrong


def readers(run: Path) -> dict[str, Callable[[], Any]]:
    """Return every reader of a run's files, as one call each."""
    communicator = Communicator.world()
    lattice = Lattice(SHAPE)
    slab = slabs(lattice, 1)[0]

    def resumed() -> None:
        checkpoint = Simulation.resume(run)._checkpoint
        if checkpoint is not None:
            checkpoint.release()

    def analysed() -> None:
        with RunFile(run) as file:
            file.provenance()
            for name in ("activity", "stress_mean"):
                if file.has(f"observables/{name}"):
                    file.series(name)
            if file.has("fields/stress"):
                file.field("stress", -1)
            if file.has("particles/tracers/position"):
                for _ in file.strips():
                    pass

    return {
        "checkpoint": resumed,
        "run.h5 to continue": lambda: find_frames(run, "fuzzed", {"observables/activity": 3}),
        "run.h5 to analyse": analysed,
        "run.h5 to export": lambda: export(run, run / "export"),
        "run.h5 as initial state": lambda: read_final_fields(run / "run.h5", slab, communicator),
        "checkpoint as initial state": lambda: read_final_fields(
            run / "checkpoint.h5", slab, communicator
        ),
    }


def good_run(directory: Path) -> Path:
    """Return a short run."""
    configuration = from_mapping(
        {
            "lattice": {"shape": SHAPE},
            "tracers": {"number": 9},
            "time": {"warmup": 0.5, "duration": 2.0},
            "output": {"series_every": 0.5, "trajectory_every": 0.5, "fields_every": 1.0},
        }
    )
    run = Simulation(configuration).run(directory / "good", progress=False)
    with h5py.File(run / "run.h5", "r+") as file:
        file["parameters"].attrs["run"] = "fuzzed"
    return run


def files(directory: Path, number: int, chance: random.Random) -> Iterator[tuple[str, str]]:
    """Yield what came of damaged and rebuilt files, read by every reader."""
    good, run = good_run(directory), directory / "fuzzed"
    calls = readers(run)
    shutil.copytree(good, run)
    count = 0
    while count < number:
        for name in ("run.h5", "checkpoint.h5"):
            shutil.copyfile(good / name, run / name)
        name = chance.choice(("run.h5", "checkpoint.h5"))
        if chance.random() < 0.25:
            spoil = chance.choice(list(DAMAGES.values()))
            (run / name).write_bytes(spoil(bytearray((run / name).read_bytes()), chance))
        else:
            with h5py.File(run / name, "r+") as file:
                for _ in range(chance.choice((1, 1, 2, 4))):
                    # What the one before has done may be in the way of the next.
                    with suppress(OSError, RuntimeError, LookupError, ValueError, TypeError):
                        chance.choice(MUTATIONS)(file, chance)
        for what, read in calls.items():
            if what.startswith(name.removesuffix(".h5")):
                count += 1
                yield what, one_line(read)


def expire(number: int, frame: FrameType | None) -> None:
    """End a reader that takes too long."""
    raise TimeoutError


def fuzz(directory: Path, number: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yield (reader, what is wrong) for about `number` inputs, half of them texts."""
    chance = random.Random(seed)
    before = signal.signal(signal.SIGALRM, expire)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, hard))
    try:
        yield from texts(directory, number // 2, chance)
        with np.errstate(all="ignore"):
            yield from files(directory, number - number // 2, chance)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGALRM, before)


def main() -> int:
    """Fuzz, and print a table; the exit code is 1 if anything was found."""
    parser = argparse.ArgumentParser(description="Fuzz the parser and every reader.")
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    start, tried, found = time.monotonic(), Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="epmpi-fuzz-") as directory:
        for what, wrong in fuzz(Path(directory), options.inputs, options.seed):
            tried[what] += 1
            if wrong:
                found[what] += 1
                print(f"FOUND: {what}: {wrong}", flush=True)
    print(f"{'reader':<30} {'inputs':>7} {'found':>6}")
    for what, number in tried.items():
        print(f"{what:<30} {number:7} {found[what]:6}")
    print(f"{tried.total()} inputs, {found.total()} found, {time.monotonic() - start:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
