"""Fuzzing guided by coverage: libFuzzer (atheris) keeps what reaches code that nothing has before.

usage: python guided_fuzz.py TARGET INPUTS SEED DIRECTORY (a process for each target)

A text is mutated by libFuzzer itself, with a dictionary of the words of configurations.  For files
it mutates the bytes of which a recipe takes its choices.  The last line is a JSON text: how many
inputs each reader got, what was found, and how many inputs reached new code.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import atheris

SOURCE = Path(str(find_spec("epmpi").origin)).parent
# What Numba compiles must stay as it is.
COMPILED = ["epmpi.physics.rules", "epmpi.physics.randomness"] + [
    ".".join(("epmpi", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
    for path in (SOURCE / "devices").rglob("*.py")
]

with atheris.instrument_imports(include=["epmpi", "tomllib"], exclude=COMPILED):
    from fuzz_targets import SEEDS, TOKENS, Files, Texts, limited

LONGEST = 1000  # bytes of an input
FIRST_RECIPES = 50


class Recipe(random.Random):
    """Choices that are read from bytes; when they have come to their end, always the first."""

    def __init__(self, data: bytes) -> None:
        super().__init__(0)
        self._data, self._at = data, 0

    def getrandbits(self, k: int) -> int:
        """Return k bits."""
        size = (k + 7) // 8
        taken = self._data[self._at : self._at + size]
        self._at += size
        return int.from_bytes(taken, "little") & ((1 << k) - 1)

    def random(self) -> float:
        """Return a number in [0, 1)."""
        return self.getrandbits(8) / 256


def first_inputs(target: str, seed: int) -> list[bytes]:
    """Return the inputs that others are made from."""
    chance = random.Random(seed)
    return SEEDS.get(target) or [chance.randbytes(40) for _ in range(FIRST_RECIPES)]


def dictionary() -> str:
    """Return the words of configurations in libFuzzer's format."""
    words = ["".join(f"\\x{byte:02x}" for byte in token.encode()) for token in TOKENS]
    return "".join(f'"{word}"\n' for word in words)


def main() -> None:
    """Fuzz one target; never returns."""
    target, number, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    directory = Path(sys.argv[4])
    corpus = directory / "corpus"
    corpus.mkdir(parents=True)
    for count, data in enumerate(first_inputs(target, seed)):
        (corpus / f"first{count}").write_bytes(data)
    first = len(os.listdir(corpus))
    (directory / "words").write_text(dictionary())
    readers = Files(directory) if target == "files" else Texts(target, directory)
    tried, found = Counter[str](), list[tuple[str, str]]()
    inputs = 0

    def take(data: bytes) -> None:
        nonlocal inputs
        inputs += 1
        results = readers.take(data) if isinstance(readers, Texts) else readers.follow(Recipe(data))
        tried.update(reader for reader, _ in results)
        found.extend(result for result in results if result[1])
        if inputs == number:
            new = len(os.listdir(corpus)) - first
            record = {"inputs": inputs, "tried": tried, "found": found, "new": new}
            sys.stdout.write(json.dumps(record) + "\n")
            sys.stdout.flush()
            os._exit(0)

    # The limits are ours; with a timeout of zero atheris takes one of a second.
    options = [f"-timeout={24 * 3600}", "-rss_limit_mb=0", "-verbosity=0", f"-max_len={LONGEST}"]
    options += [f"-seed={seed}", f"-dict={directory / 'words'}", str(corpus)]
    atheris.Setup(sys.argv[:1] + options, take)
    with limited():
        atheris.Fuzz()


if __name__ == "__main__":
    main()
