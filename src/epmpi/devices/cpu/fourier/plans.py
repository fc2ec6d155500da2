"""Plans of line transforms: the radices of the passes, and the roots of unity they multiply by.

A plan is a tuple of numbers and arrays, so that compiled loops take it as it is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from epmpi.config import ConfigError
from epmpi.devices.cpu.vectors import REGISTER_BYTES

# Two strips of a workspace lie this far from a multiple of the page size: at equal distance the
# reads of one and the writes of the other would fall on the same cache lines.
_PAGE, _SHIFT, _CACHE_LINE = 4096, 512, 64

# Radices whose butterflies are sums over all operands: a prime p takes p operations a point, and a
# library is faster beyond.
PRIMES = (11, 13, 17, 19, 23, 29, 31)


class LinePlan(NamedTuple):
    """Plan of complex transforms of lines of `length` points.

    Attributes
    ----------
    length : int
    passes : int64 array, shape (passes, 4)
        Of each pass over the strip, first to last: its radix r, the number m of its groups of
        butterflies, the number s of butterflies in a group (r m s = length), where its roots begin.
    roots : complex array, shape (2 number,)
        exp(-2 pi i p k / (r m)) of each pass, for group p = 0 ... m - 1 and output k = 1 ... r - 1,
        before which `PRIMES` have exp(-2 pi i j / r), j = 0 ... r - 1; then the conjugates of all,
        for the inverse.
    """

    length: int
    passes: NDArray
    roots: NDArray


class RowPlan(NamedTuple):
    """Plan of transforms of real lines of `length` sites.

    Attributes
    ----------
    length : int
    line : LinePlan
        Of length / 2 points if the length is even: site 2j is taken as the real, site 2j + 1 as
        the imaginary part of point j.  Of all points if it is odd.
    turns : complex array, shape (length / 2 + 1,)
        -i exp(-2 pi i k / length), which separates the two halves again; empty if it is odd.
    """

    length: int
    line: LinePlan
    turns: NDArray


def line_width(dtype: DTypeLike) -> int:
    """Return W, the number of lines in a strip, for a real or complex dtype."""
    return REGISTER_BYTES // np.finfo(dtype).dtype.itemsize


def has_plan(length: int, dtype: DTypeLike) -> bool:
    """Tell whether lines of a length can be transformed: at least 4 W, no prime above 31."""
    return length >= 4 * line_width(dtype) and prime_factors(length)[-1] <= PRIMES[-1]


def line_plan(length: int, dtype: DTypeLike) -> LinePlan:
    """Return the plan of complex lines, with arrays for a precision.

    Raises
    ------
    ValueError
        If there is no plan for the length (see `has_plan`).
    """
    _check(length, dtype)
    return _line_plan(length, dtype)


def row_plan(length: int, dtype: DTypeLike) -> RowPlan:
    """Return the plan of real lines, with arrays for a precision.

    Raises
    ------
    ValueError
        If there is no plan for the length (see `has_plan`).
    """
    _check(length, dtype)
    if length % 2:
        return RowPlan(length, _line_plan(length, dtype), np.empty(0, _complex(dtype)))
    turns = -1j * unit_roots(np.arange(length // 2 + 1), length)
    return RowPlan(length, _line_plan(length // 2, dtype), turns.astype(_complex(dtype)))


def workspace(length: int, dtype: DTypeLike, strips: int = 2) -> NDArray:
    """Return the work array of one thread for lines of up to `length` points or sites.

    It holds two strips, between which a transform goes back and forth; or more, of the same size.
    """
    real = np.finfo(dtype).dtype
    # Beyond a line: the end of a row and tiles of its spectrum; operands of `pass_of_prime`.
    points = length + max(2 * line_width(dtype), PRIMES[-1])
    size = -(-2 * REGISTER_BYTES * points // _PAGE) * _PAGE + _SHIFT
    memory = np.zeros(strips * size + _CACHE_LINE, np.uint8)
    first = -memory.ctypes.data % _CACHE_LINE
    return memory[first : first + strips * size].view(real)


def unit_roots(numerator: NDArray, denominator: int) -> NDArray:
    """Return exp(-2 pi i numerator / denominator) to the last bit or so.

    The angle is reduced to the first octant in integers before its sine and cosine are taken.
    """
    eighths = 8 * (np.asarray(numerator) % denominator)
    octant = eighths // denominator
    odd = octant % 2
    rest = np.where(odd, (octant + 1) * denominator - eighths, eighths - octant * denominator)
    angle = np.pi / 4 * (rest / denominator)
    cosine, sine = np.cos(angle), np.sin(angle)
    swapped = np.isin(octant, (1, 2, 5, 6))
    real = np.where(swapped, sine, cosine) * np.where(np.isin(octant, (2, 3, 4, 5)), -1, 1)
    imaginary = np.where(swapped, cosine, sine) * np.where(octant < 4, -1, 1)
    return real + 1j * imaginary


def prime_factors(length: int) -> list[int]:
    """Return the prime factors of a length > 1, each as often as it divides; ascending."""
    found, divisor = [], 2
    while divisor * divisor <= length:
        if length % divisor:
            divisor += 1
        else:
            found.append(divisor)
            length //= divisor
    return [*found, length]


def radices(length: int) -> list[int]:
    """Return the radices of the passes, first to last.

    Radix 4 is the fastest by factor of the length.  Radix 8 needs more registers than there are:
    it pays in the first pass, whose results lie side by side, and in the last, without roots.
    """
    factors = prime_factors(length)
    twos = factors.count(2)
    odd = factors[twos:][::-1]
    if twos % 2 and twos > 1:
        return [8, *odd, *[4] * ((twos - 3) // 2)]
    if twos >= 6:
        return [8, *odd, *[4] * ((twos - 6) // 2), 8]
    return [*[4] * (twos // 2), *odd, *[2] * (twos % 2)]


def _line_plan(length: int, dtype: DTypeLike) -> LinePlan:
    passes, roots = [], [np.ones(1)]  # an array that is never empty
    groups, size, start = length, 1, 1
    for radix in radices(length):
        order = groups
        groups //= radix
        passes.append((radix, groups, size, start))
        if radix in PRIMES:
            roots.append(unit_roots(np.arange(radix), radix))
        numerator = np.arange(groups)[:, None] * np.arange(1, radix)
        roots.append(unit_roots(numerator, order).ravel())
        start = sum(map(len, roots))
        size *= radix
    forward = np.concatenate(roots)
    table = np.concatenate([forward, forward.conj()]).astype(_complex(dtype))
    return LinePlan(length, np.array(passes, np.int64).reshape(-1, 4), table)


def _check(length: int, dtype: DTypeLike) -> None:
    if not has_plan(length, dtype):
        raise ConfigError(
            f'run.fft = "vector": no plan for lines of {length} sites: expected at least '
            f'{4 * line_width(dtype)}, and no prime factor above {PRIMES[-1]}; set "auto", or '
            '"numpy" for others'
        )


def _complex(dtype: DTypeLike) -> np.dtype:
    return np.result_type(dtype, np.complex64)
