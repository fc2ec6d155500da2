"""Cost of a step by the prime factors of the sides of the lattice: a rough law.

Nanoseconds per site of steps without tracers, double precision, one core, fitted to
`benchmarks/results/sides.csv` (docs/performance.md, Sides); only ratios count.  The cost of a prime
from 11 on grows with it, for `vector_lines` and for the library, until that changes to Bluestein's
algorithm, which costs the same for any prime.
"""

from __future__ import annotations

from numpy.typing import DTypeLike

from epmpi.devices.cpu.fourier.plans import has_plan, line_width, prime_factors

OURS, LIBRARY = 6.0, 16.0
ODD_ROWS = 2.5  # which are taken as complex ones
PRIME, MOST = 0.075, 21.0  # of a side, for each unit of its large primes
LARGE, FAST = 11, 7  # primes that cost more than others; the largest of a fast side
SMALL = 64 * 64  # sites: below, what a step costs is not that of its lines


def site_cost(shape: tuple[int, int], dtype: DTypeLike) -> float:
    """Return the cost of a step for a site of a lattice (Lx, Ly), in arbitrary units."""
    large = [sum(p for p in prime_factors(length) if p >= LARGE) for length in shape]
    if all(has_plan(length, dtype) for length in shape):
        return OURS + PRIME * sum(large) + ODD_ROWS * (shape[1] % 2)
    return LIBRARY + sum(min(PRIME * primes, MOST) for primes in large)


def faster_shape(shape: tuple[int, int], dtype: DTypeLike) -> tuple[tuple[int, int], float]:
    """Return the next shape whose lines are fast, and the cost of a site over that there."""
    if shape[0] * shape[1] < SMALL:
        return shape, 1.0
    fast = fast_length(shape[0], 1, dtype), fast_length(shape[1], 2, dtype)
    return fast, site_cost(shape, dtype) / site_cost(fast, dtype)


def fast_length(length: int, multiple: int, dtype: DTypeLike) -> int:
    """Return the least side from a length on that is a multiple, with no prime factor above 7."""
    length = -(-max(length, 4 * line_width(dtype)) // multiple) * multiple
    while max(prime_factors(length)) > FAST:
        length += multiple
    return length
