"""Passes of the self-sorting (Stockham) Fourier transform over a strip of W lines.

A pass of radix r takes the points (j, p, q) of a strip, j < r, p < m, q < s, to (p, k, q):

    y(p, k, q) = w^(p k) sum_j exp(-2 pi i j k / r) x(j, p, q),    w = exp(-2 pi i / (r m))

The sums over j of the inverse transform are the forward ones with j replaced by -j: what `order`
returns is where the operands are read, and the butterflies are written once.
"""

from __future__ import annotations

from functools import partial

from epmpi.devices.cpu.arithmetic import processor
from epmpi.devices.cpu.compiler import compiled
from epmpi.devices.cpu.vector_memory import ask, broadcast, load, store
from epmpi.devices.cpu.vectors import multiply_add, turned

inner = partial(compiled, from_python=False)

# Points ahead that the most frequent pass asks for, where its strips are not in the first cache: on
# Intel's server processors, whose second one is slow.  On AMD's it gains nothing (measured).
ASKING = ("skylake-avx512", "cascadelake", "cooperlake", "icelake-server", "sapphirerapids")
AHEAD = 8 if processor()[0] in ASKING else 0

SIN_45 = 0.7071067811865476


@inner
def pass_of_two(work, x, y, m, s, roots, t):
    """Make a pass of radix 2 from the strip at point x of the work array to the one at y."""
    for _ in range(m):
        w = broadcast(roots, t)
        for _ in range(s):
            a = load(work, x)
            b = load(work, x + m * s)
            store(work, y, a + b)
            store(work, y + s, (a - b) * w)
            x += 1
            y += 1
        y += s
        t += 1


@inner
def pass_of_four(work, x, y, m, s, roots, t, inverse):
    """Make a pass of radix 4 from the strip at point x of the work array to the one at y."""
    one = (3 if inverse else 1) * m * s
    two = 2 * m * s
    three = 4 * m * s - one
    for _ in range(m):
        w1 = broadcast(roots, t)
        w2 = broadcast(roots, t + 1)
        w3 = broadcast(roots, t + 2)
        for _ in range(s):
            if AHEAD:
                ask(work, x + AHEAD)
                ask(work, x + one + AHEAD)
                ask(work, x + two + AHEAD)
                ask(work, x + three + AHEAD)
            a = load(work, x)
            b = load(work, x + one)
            c = load(work, x + two)
            d = load(work, x + three)
            p = a + c
            q = b + d
            store(work, y, p + q)
            store(work, y + 2 * s, (p - q) * w2)
            p = a - c
            q = turned(b - d)
            store(work, y + s, (p + q) * w1)
            store(work, y + 3 * s, (p - q) * w3)
            x += 1
            y += 1
        y += 3 * s
        t += 3


@inner
def _transform_eight(work, x, pitch, inverse):
    """Return the transform of the eight points x, x + pitch, ..."""
    one = (7 if inverse else 1) * pitch
    two = (6 if inverse else 2) * pitch
    three = (5 if inverse else 3) * pitch
    b = load(work, x + one)
    f = load(work, x + 8 * pitch - three)
    d = load(work, x + three)
    h = load(work, x + 8 * pitch - one)
    p = b + f
    q = d + h
    odd0 = p + q
    odd2 = turned(p - q)
    p = b - f
    q = turned(d - h)
    odd1 = p + q
    odd3 = p - q
    odd1 = odd1 + turned(odd1)
    odd3 = turned(odd3) - odd3
    a = load(work, x)
    c = load(work, x + two)
    e = load(work, x + 4 * pitch)
    g = load(work, x + 8 * pitch - two)
    p = a + e
    q = c + g
    even0 = p + q
    even2 = p - q
    p = a - e
    q = turned(c - g)
    even1 = p + q
    even3 = p - q
    return (
        even0 + odd0,
        multiply_add(odd1, SIN_45, even1),
        even2 + odd2,
        multiply_add(odd3, SIN_45, even3),
        even0 - odd0,
        multiply_add(odd1, -SIN_45, even1),
        even2 - odd2,
        multiply_add(odd3, -SIN_45, even3),
    )


@inner
def first_pass_of_eight(work, x, y, m, roots, t, inverse):
    """Make a pass of radix 8 with one butterfly a group (s = 1)."""
    for _ in range(m):
        a, b, c, d, e, f, g, h = _transform_eight(work, x, m, inverse)
        store(work, y, a)
        store(work, y + 1, b * broadcast(roots, t))
        store(work, y + 2, c * broadcast(roots, t + 1))
        store(work, y + 3, d * broadcast(roots, t + 2))
        store(work, y + 4, e * broadcast(roots, t + 3))
        store(work, y + 5, f * broadcast(roots, t + 4))
        store(work, y + 6, g * broadcast(roots, t + 5))
        store(work, y + 7, h * broadcast(roots, t + 6))
        x += 1
        y += 8
        t += 7


@inner
def last_pass_of_eight(work, x, y, s, inverse):
    """Make a pass of radix 8 with one group (m = 1), whose roots are all 1."""
    for _ in range(s):
        a, b, c, d, e, f, g, h = _transform_eight(work, x, s, inverse)
        store(work, y, a)
        store(work, y + s, b)
        store(work, y + 2 * s, c)
        store(work, y + 3 * s, d)
        store(work, y + 4 * s, e)
        store(work, y + 5 * s, f)
        store(work, y + 6 * s, g)
        store(work, y + 7 * s, h)
        x += 1
        y += 1
