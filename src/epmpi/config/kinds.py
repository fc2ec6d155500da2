"""The kinds of value that a key may have: the values that each accepts, and their description."""

import difflib
import math
import numbers
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

LARGEST_INTEGER = 2**63 - 1  # of TOML, and of the int64 in which steps and seeds are stored


@dataclass(frozen=True)
class Kind:
    """A kind of value.

    Parameters
    ----------
    type, range : str
        Texts for tables and messages.
    accept : callable
        Returns a value in its plain Python type; raises ValueError where it is not allowed.
    hint : callable
        Returns a remedy for a refused value, or an empty text.
    """

    type: str
    range: str
    accept: Callable[[Any], Any]
    hint: Callable[[Any], str] = lambda value: ""


def integer(least: int, most: int = LARGEST_INTEGER) -> Kind:
    """Return the kind of an integer in [least, most], not True or 1.0."""

    def accept(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise ValueError
        if not least <= int(value) <= most:
            raise ValueError
        return int(value)

    limit = "2^63 - 1" if most == LARGEST_INTEGER else most
    return Kind("integer", f"{least} to {limit}", accept)


def real(
    above: float = -math.inf,
    at_least: float = -math.inf,
    below: float = math.inf,
    word: str | None = None,
) -> Kind:
    """Return the kind of a finite number in these limits, or of one word in its place."""

    def accept(value: Any) -> float | str:
        if word is not None and value == word:
            return word
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise ValueError
        try:
            number = float(value)
        except OverflowError:
            raise ValueError from None
        # Without limits the bounds are infinite and strict, which excludes NaN and infinities.
        if not (above < number < below and number >= at_least):
            raise ValueError
        return number

    limits = [
        f"{sign} {limit:g}"
        for sign, limit in ((">", above), (">=", at_least), ("<", below))
        if math.isfinite(limit)
    ]
    interval = " and ".join(limits) or "finite"
    return Kind("number", interval if word is None else f'{interval} | "{word}"', accept)


def stages() -> Kind:
    """Return the kind of a list, perhaps empty, of pairs of numbers above zero."""
    positive = real(above=0)

    def accept(value: Any) -> tuple[tuple[float, float], ...]:
        if not isinstance(value, list | tuple):
            raise ValueError
        pairs = []
        for pair in value:
            if not isinstance(pair, list | tuple) or len(pair) != 2:
                raise ValueError
            pairs.append((positive.accept(pair[0]), positive.accept(pair[1])))
        return tuple(pairs)

    example = "write [[0.2, 100.0], [0.1, 500.0]]"
    return Kind("list of pairs", "[[number > 0, number > 0], ...]", accept, lambda value: example)


def choice(*words: str) -> Kind:
    """Return the kind of one of a few words."""

    def accept(value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError
        return str(value)

    listed = " | ".join(f'"{word}"' for word in words)
    return Kind("text", listed, accept, lambda value: did_you_mean(value, words))


def choice_or_path(*words: str) -> Kind:
    """Return the kind of one of a few words, or a path, which has a "/" or the suffix ".h5"."""
    known = choice(*words)

    def accept(value: Any) -> str:
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
            if isinstance(value, str) and "/" not in value:
                value = f"./{value}"  # always a path
        if not isinstance(value, str):
            raise ValueError
        # Unprintable characters and undecodable bytes cannot be stored as text in the run.
        is_path = ("/" in value or value.endswith(".h5")) and value.isprintable()
        return str(value) if is_path else str(known.accept(value))

    return Kind(
        known.type, f'{known.range} | a path with a "/" or ending in ".h5"', accept, known.hint
    )


def flag() -> Kind:
    """Return the kind of true or false, not 0, 1 or a word."""

    def accept(value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError
        return value

    return Kind("boolean", "true | false", accept)


def sides(least: int, most: int) -> Kind:
    """Return the kind of two integers in [least, most], the sites along x and y."""
    side = integer(least, most)

    def accept(value: Any) -> tuple[int, int]:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ValueError
        return side.accept(value[0]), side.accept(value[1])

    return Kind("two integers", f"each {side.range}", accept, lambda value: "write [256, 256]")


def did_you_mean(word: Any, known: Iterable[str]) -> str:
    """Return the known word nearest to a given one, else the list of the known ones."""
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1) if isinstance(word, str) else []
    return f'did you mean "{near[0]}"?' if near else "known are " + ", ".join(known)
