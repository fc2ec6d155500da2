"""Fuzzing by properties: Hypothesis draws the recipes by which good inputs are changed.

usage: python property_fuzz.py TARGET INPUTS SEED DIRECTORY (a process for each target)

The last line is a JSON text: how many inputs there were, how many each reader got, what was found.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from pathlib import Path

import hypothesis
from fuzz_targets import Files, Texts, limited
from hypothesis import strategies


def main() -> None:
    """Fuzz one target."""
    target, number, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    directory = Path(sys.argv[4])
    directory.mkdir()
    readers = Files(directory) if target == "files" else Texts(target, directory)
    tried, found = Counter[str](), list[tuple[str, str]]()
    inputs = 0

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=number, deadline=None, database=None, derandomize=False,
        suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate],
    )  # fmt: skip
    @hypothesis.given(strategies.randoms(use_true_random=False))
    def follow(chance: random.Random) -> None:
        nonlocal inputs
        results = readers.follow(chance)  # Hypothesis may leave here, and try others
        inputs += 1
        tried.update(reader for reader, _ in results)
        found.extend(result for result in results if result[1])

    with limited():
        follow()
    print(json.dumps({"inputs": inputs, "tried": tried, "found": found}))


if __name__ == "__main__":
    main()
