"""The kinds of value that a key may have: the values that each accepts, and their description."""

import difflib
import math
import numbers
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

LARGEST_INTEGER = 2**63 - 1  # of TOML, and of the int64 in which steps and seeds are stored


class Kind(ABC):
    """Base of the kinds of value; `type` and `range` are texts for tables and messages."""

    type: ClassVar[str]

    @property
    @abstractmethod
    def range(self) -> str:
        """Text for the allowed values."""

    @abstractmethod
    def accept(self, value: Any) -> Any:
        """Return `value` in its plain Python type; raise ValueError where it is not allowed."""

    def hint(self, value: Any) -> str:
        """Return a remedy for a refused value, or an empty text."""
        return ""


@dataclass(frozen=True)
class Integer(Kind):
    """An integer in [least, most], not True or 1.0."""

    least: int
    most: int = LARGEST_INTEGER
    type = "integer"

    @property
    def range(self) -> str:
        """Words for the interval."""
        limit = "2^63 - 1" if self.most == LARGEST_INTEGER else str(self.most)
        return f"{self.least} to {limit}"

    def accept(self, value: Any) -> int:
        """Return `value` as an int."""
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise ValueError
        if not self.least <= int(value) <= self.most:
            raise ValueError
        return int(value)


@dataclass(frozen=True)
class Number(Kind):
    """A finite number: any, `above` or `at_least` a limit, and `below` another."""

    above: float = -math.inf
    at_least: float = -math.inf
    below: float = math.inf
    type = "number"

    @property
    def range(self) -> str:
        """Words for the interval."""
        words = [
            f"{sign} {limit:g}"
            for sign, limit in ((">", self.above), (">=", self.at_least), ("<", self.below))
            if math.isfinite(limit)
        ]
        return " and ".join(words) or "finite"

    def accept(self, value: Any) -> float:
        """Return `value` as a float."""
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise ValueError
        try:
            number = float(value)
        except OverflowError:
            raise ValueError from None
        # Without limits the bounds are infinite and strict, which excludes NaN and infinities.
        if not (self.above < number < self.below and number >= self.at_least):
            raise ValueError
        return number


@dataclass(frozen=True)
class NumberOrWord(Number):
    """A number, or one word in its place."""

    word: str = ""

    @property
    def range(self) -> str:
        """Words for the interval and the word."""
        return f'{super().range} | "{self.word}"'

    def accept(self, value: Any) -> Any:
        """Return `value` as a float, or the word."""
        return self.word if value == self.word else super().accept(value)


@dataclass(frozen=True)
class Stages(Kind):
    """A list, perhaps empty, of pairs of numbers above zero."""

    type = "list of pairs"

    @property
    def range(self) -> str:
        """Words for the pairs."""
        return "[[number > 0, number > 0], ...]"

    def accept(self, value: Any) -> tuple[tuple[float, float], ...]:
        """Return `value` as a tuple of tuples."""
        if not isinstance(value, list | tuple):
            raise ValueError
        stages = []
        for pair in value:
            if not isinstance(pair, list | tuple) or len(pair) != 2:
                raise ValueError
            first, second = (Number(above=0).accept(number) for number in pair)
            stages.append((first, second))
        return tuple(stages)

    def hint(self, value: Any) -> str:
        """Return an example."""
        return "write [[0.2, 100.0], [0.1, 500.0]]"


@dataclass(frozen=True)
class Choice(Kind):
    """One of a few words."""

    words: tuple[str, ...]
    type = "text"

    @property
    def range(self) -> str:
        """The words."""
        return " | ".join(f'"{word}"' for word in self.words)

    def accept(self, value: Any) -> str:
        """Return `value` as a str."""
        if not isinstance(value, str) or value not in self.words:
            raise ValueError
        return str(value)

    def hint(self, value: Any) -> str:
        """Return the nearest word."""
        return did_you_mean(value, self.words)


@dataclass(frozen=True)
class ChoiceOrPath(Choice):
    """One of a few words, or a path, which has a "/" or the suffix ".h5"."""

    @property
    def range(self) -> str:
        """The words and the path."""
        return f'{super().range} | a path with a "/" or ending in ".h5"'

    def accept(self, value: Any) -> str:
        """Return `value` as a str."""
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
            if isinstance(value, str) and "/" not in value:
                value = f"./{value}"  # always a path
        if not isinstance(value, str):
            raise ValueError
        # Unprintable characters and undecodable bytes cannot be stored as text in the run.
        is_path = ("/" in value or value.endswith(".h5")) and value.isprintable()
        if value not in self.words and not is_path:
            raise ValueError
        return str(value)


@dataclass(frozen=True)
class Flag(Kind):
    """True or false, not 0, 1 or a word."""

    type = "boolean"

    @property
    def range(self) -> str:
        """The two words of TOML."""
        return "true | false"

    def accept(self, value: Any) -> bool:
        """Return `value`, a bool."""
        if not isinstance(value, bool):
            raise ValueError
        return value


@dataclass(frozen=True)
class Shape(Kind):
    """Two integers in [least, most]: the sites along x and y."""

    least: int
    most: int
    type = "two integers"

    @property
    def range(self) -> str:
        """Words for the interval."""
        return f"each {self.least} to {self.most}"

    def accept(self, value: Any) -> tuple[int, int]:
        """Return `value` as a tuple."""
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ValueError
        side = Integer(self.least, self.most)
        return side.accept(value[0]), side.accept(value[1])

    def hint(self, value: Any) -> str:
        """Return an example."""
        return "write [256, 256]"


def did_you_mean(word: Any, known: Iterable[str]) -> str:
    """Return the known word nearest to a given one, else the list of the known ones."""
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1) if isinstance(word, str) else []
    return f'did you mean "{near[0]}"?' if near else "known are " + ", ".join(known)
