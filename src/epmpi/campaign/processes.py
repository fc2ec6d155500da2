"""Work on several runs at a time, in a pool of processes."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

Result = TypeVar("Result")


def in_processes(
    function: Callable[..., Result], workers: int, *arguments: Collection[Any]
) -> list[Result]:
    """Map a function over its arguments, as `map` does; one alone is worked on in this process."""
    if workers == 1 or len(arguments[0]) < 2:
        return list(map(function, *arguments))
    context = multiprocessing.get_context("spawn")
    with isolated(), ProcessPoolExecutor(workers, mp_context=context) as pool:
        return list(pool.map(function, *arguments))


@contextmanager
def isolated() -> Iterator[None]:
    """Keep new processes from importing modules of the working directory, such as a random.py."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        os.environ.pop("PYTHONSAFEPATH")
        if before is not None:
            os.environ["PYTHONSAFEPATH"] = before
