"""Time of a step's columns, ns a site: in memory of one process, and in memory that ranks share.

    python -m benchmarks.pages [--sizes 1024 2048 4096] [--rounds 40]

Shared memory lies on small pages or, where the system can, on huge ones. All in one process, in
turns, the shortest of all rounds: one source forward, three kernels, three responses back.
"""

from __future__ import annotations

import argparse
import math
import time

import numpy as np
from numpy.typing import NDArray

from epmpi.devices import CPU
from epmpi.parallel import Communicator
from epmpi.spectral import shared_memory as pages

FIELDS = 3  # stress rate and two velocities
SMALL = -1  # no advice that the system knows


def memories(shape: tuple[int, int, int]) -> dict[str, NDArray[np.complex128]]:
    """Return the arrays (Lx + 1, fields, pitch) to compare, by the memory that they lie in."""
    own = CPU().empty(shape, np.complex128)
    found, collapse = {"own": own}, pages.MADV_COLLAPSE
    for name, advice in (("shared, small pages", SMALL), ("shared, huge pages", collapse)):
        pages.MADV_COLLAPSE = advice
        memory = pages.shared_memory(Communicator.world(), [own.nbytes])
        if memory is not None:
            found[name] = memory.view(np.complex128).reshape(shape)
    pages.MADV_COLLAPSE = collapse
    return found


def measure(length: int, rounds: int) -> dict[str, float]:
    """Return ns a site in each memory."""
    lines = CPU().lines("auto", (length, length), np.float64)
    modes = length // 2 + 1
    drawn = np.random.default_rng(0).normal(size=(FIELDS, modes, length))
    even = drawn + drawn[:, :, -np.arange(length) % length]
    kernels = lines.table(FIELDS, modes, lambda field, some: even[field, some])
    arrays = memories((length + 1, FIELDS, lines.pitch(modes)))
    best = dict.fromkeys(arrays, math.inf)
    for _ in range(rounds):
        for name, array in arrays.items():
            responses = array[:, :, :modes]
            responses[...] = 1.0
            start = time.perf_counter()
            lines.convolve(responses[:length, :1], kernels, [False] * FIELDS, responses, 0)
            best[name] = min(best[name], time.perf_counter() - start)
    return {name: 1e9 * seconds / length**2 for name, seconds in best.items()}


def main() -> None:
    """Print one line a size."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 2048, 4096])
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    for length in options.sizes:
        found = measure(length, options.rounds)
        print(f"L={length}", *(f"{name}: {ns:.2f}" for name, ns in found.items()), sep="  ")


if __name__ == "__main__":
    main()
