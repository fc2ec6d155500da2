"""Eight numbers at once: rows of a tile, and sums and choices over many numbers.

Eight doubles are the two registers of a `vectors.ComplexVector`.  A sum over numbers n runs first
over those of the same n modulo 8, then over the eight: the same order, and so the same bits,
whatever vectors a processor has.
"""

from __future__ import annotations

from epmpi.devices.cpu.compiler import part
from epmpi.devices.cpu.vector_memory import load_reals, store_reals
from epmpi.devices.cpu.vectors import larger

LANES = 8


@part
def sum_lanes(numbers, first, count, sums):
    """Sum `count` numbers (a multiple of 8) from `first` on into the eight `sums`; return all."""
    total = load_reals(numbers, first)
    for n in range(first + LANES, first + count, LANES):
        total = total + load_reals(numbers, n)
    store_reals(sums, 0, total)
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]))


@part
def largest_of(numbers, first, count, maxima):
    """Return the largest of `count` numbers (a multiple of 8) from `first` on; `maxima` is room."""
    top = load_reals(numbers, first)
    for n in range(first + LANES, first + count, LANES):
        top = larger(top, load_reals(numbers, n))
    store_reals(maxima, 0, top)
    largest = maxima[0]
    for lane in range(1, LANES):
        largest = max(largest, maxima[lane])
    return largest


@part
def choose(share, numbers, first, count, sums):
    """Return which number a share of their sum falls on, and the rest of the share.

    `sums` are those of `sum_lanes`.  A share of the whole sum or more falls on the last number that
    is not 0.
    """
    lane = 0
    while lane < LANES - 1 and share >= sums[lane]:
        share -= sums[lane]
        lane += 1
    while lane > 0 and sums[lane] == 0.0:
        lane -= 1
    n = lane
    while n + LANES < count and share >= numbers[first + n]:
        share -= numbers[first + n]
        n += LANES
    return n, share
