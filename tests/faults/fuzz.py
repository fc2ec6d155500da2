"""Fuzzing of the parsers and of every reader, by properties and guided by coverage.

usage: PYTHONPATH=tests:tests/faults:tools python tests/faults/fuzz.py [--inputs N] [--seed N]

Hypothesis draws the recipes of half of the inputs (`property_fuzz.py`); libFuzzer finds the others
(`guided_fuzz.py`), where its wheel is installed.  What is fuzzed, and what must come of it:
`fuzz_targets.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import launching
from fuzz_targets import SEEDS

TARGETS = (*SEEDS, "files")
WAYS = {"by properties": "property_fuzz.py", "guided by coverage": "guided_fuzz.py"}
HOURS = 3 * 3600.0
STACK = "(most recent call first)"


@dataclass
class Tally:
    """Counts of the inputs, those given to each reader, and the findings."""

    inputs: int = 0
    tried: Counter[str] = field(default_factory=Counter)
    found: list[tuple[str, str]] = field(default_factory=list)
    new: int = 0  # inputs that reached code that none had reached before


def fuzz(
    way: str, target: str, directory: Path, number: int, seed: int, seconds: float = HOURS
) -> Tally:
    """Give one target so many inputs, in a process of its own that may crash or hang."""
    program = Path(__file__).parent / WAYS[way]
    command = launching.python(*map(str, (program, target, number, seed, directory)))
    env = launching.environment(PYTHONPATH=os.pathsep.join(filter(None, sys.path)))
    try:
        done = launching.run(command, timeout=seconds, env=env)
    except subprocess.TimeoutExpired:
        return Tally(found=[(target, f"did not end in {seconds:.0f} s")])
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        said = done.stderr
        shown = said[said.index(STACK) :][:2000] if STACK in said else said[-1000:]
        return Tally(found=[(target, f"ended with {done.returncode}: {shown}")])
    record = json.loads(lines[-1])
    found = [(reader, why) for reader, why in record["found"]]
    return Tally(record["inputs"], Counter(record["tried"]), found, record.get("new", 0))


def has_guide() -> bool:
    """Tell whether the guided fuzzer is installed; its wheel is for Linux on x86_64."""
    return find_spec("atheris") is not None


def shares(number: int) -> dict[str, int]:
    """Return the inputs of each target; a fifth are files, which go to several readers each."""
    texts = number * 4 // 5 // len(SEEDS)
    return {**dict.fromkeys(SEEDS, texts), "files": number - texts * len(SEEDS)}


def show(target: str, tally: Tally) -> None:
    """Print what came of one target: a row for each of its readers."""
    wrong = Counter(reader for reader, _ in tally.found)
    new = f", {tally.new} of which reached new code" if tally.new else ""
    print(f"  {target}: {tally.inputs} inputs{new}")
    for reader, number in tally.tried.items():
        print(f"    {reader:<30} {number:7} {wrong[reader]:6}")
    for reader, why in dict.fromkeys(tally.found):
        print(f"FOUND: {reader}: {why}")
    sys.stdout.flush()


def main() -> int:
    """Fuzz, and print the tables; the exit code is 1 if anything was found."""
    parser = argparse.ArgumentParser(description="Fuzz the parsers and every reader.")
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    start = time.monotonic()
    ways = [way for way in WAYS if way == "by properties" or has_guide()]
    if not has_guide():
        print("not tried: fuzzing guided by coverage; atheris is not installed")
    inputs = found = 0
    with tempfile.TemporaryDirectory(prefix="epmpi-fuzz-") as directory:
        for count, way in enumerate(ways):
            print(f"{way:<34} {'given':>7} {'found':>6}")
            for target, number in shares(options.inputs // len(ways)).items():
                place = Path(directory) / f"{target}{count}"
                tally = fuzz(way, target, place, number, options.seed)
                show(target, tally)
                inputs += tally.inputs
                found += len(tally.found)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    seconds = time.monotonic() - start
    print(f"{inputs} inputs, {found} found, {seconds:.0f} s, at most {memory:.0f} MiB of memory")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
