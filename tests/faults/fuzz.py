"""Fuzzing of the parsers and of every reader, by properties and guided by coverage.

usage: PYTHONPATH=tests:tests/faults:tools python tests/faults/fuzz.py [--inputs N] [--seed N]

Hypothesis draws the recipes of half of the inputs; libFuzzer (`guided_fuzz.py`) finds the others,
where its wheel is installed.  What is fuzzed, and what must come of it: `fuzz_targets.py`.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import hypothesis
import launching
from fuzz_targets import SEEDS, Files, Texts, limited
from hypothesis import strategies

TARGETS = (*SEEDS, "files")
GUIDED = Path(__file__).parent / "guided_fuzz.py"
HOURS = 3600.0


@dataclass
class Tally:
    """How many inputs there were, what each reader was given, and what was found."""

    inputs: int = 0
    tried: Counter[str] = field(default_factory=Counter)
    found: list[tuple[str, str]] = field(default_factory=list)
    new: int = 0  # inputs that reached code that none had reached before


def by_properties(target: str, directory: Path, number: int, seed: int) -> Tally:
    """Give one target inputs that Hypothesis draws."""
    directory.mkdir()
    tally = Tally()
    readers = Files(directory) if target == "files" else Texts(target, directory)
    quiet = list(hypothesis.HealthCheck)

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=number, deadline=None, database=None, derandomize=False,
        suppress_health_check=quiet, phases=[hypothesis.Phase.generate],
    )  # fmt: skip
    @hypothesis.given(strategies.randoms(use_true_random=False))
    def follow(chance) -> None:
        results = readers.follow(chance)
        tally.inputs += 1
        tally.tried.update(reader for reader, _ in results)
        tally.found.extend(result for result in results if result[1])

    with limited():
        follow()
    return tally


def guided(target: str, directory: Path, number: int, seed: int) -> Tally:
    """Give one target inputs that libFuzzer finds, in a process of its own."""
    command = launching.python(*map(str, (GUIDED, target, number, seed, directory)))
    done = launching.run(command, timeout=HOURS, env=launching.environment())
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        return Tally(found=[(target, f"ended with {done.returncode}: {done.stderr[-1000:]}")])
    told = json.loads(lines[-1])
    return Tally(
        number, Counter(told["tried"]), [tuple(found) for found in told["found"]], told["new"]
    )


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
    ways: dict[str, Callable[[str, Path, int, int], Tally]] = {"by properties": by_properties}
    if has_guide():
        ways["guided by coverage"] = guided
    else:
        print("not tried: fuzzing guided by coverage; atheris is not installed")
    inputs = found = 0
    with tempfile.TemporaryDirectory(prefix="epmpi-fuzz-") as directory:
        for count, (name, fuzz) in enumerate(ways.items()):
            print(f"{name:<34} {'given':>7} {'found':>6}")
            for target, number in shares(options.inputs // len(ways)).items():
                tally = fuzz(target, Path(directory) / f"{target}{count}", number, options.seed)
                show(target, tally)
                inputs += tally.inputs
                found += len(tally.found)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds = time.monotonic() - start
    print(f"{inputs} inputs, {found} found, {seconds:.0f} s, at most {memory:.0f} MiB of memory")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
