"""Passes of odd radices of the Fourier transform over a strip of W lines; see `butterflies`.

Operands j and r - j of a butterfly come as a sum u_j and as d_j = -i times their difference:

    outputs k and r - k = x_0 + sum_j cos(2 pi j k / r) u_j +- sum_j sin(2 pi j k / r) d_j, 2 j < r
"""

from __future__ import annotations

from epmpi.devices.cpu.fourier.butterflies import inner
from epmpi.devices.cpu.vector_memory import broadcast, lanes, load, store
from epmpi.devices.cpu.vectors import multiply_add, turned

SIN_60 = 0.8660254037844386
COS_72, COS_144 = 0.30901699437494745, -0.8090169943749475
SIN_72, SIN_144 = 0.9510565162951535, 0.5877852522924731
COS_51, COS_103, COS_154 = 0.6234898018587336, -0.2225209339563144, -0.9009688679024191
SIN_51, SIN_103, SIN_154 = 0.7818314824680298, 0.9749279121818236, 0.4338837391175581


@inner
def pass_of_three(work, x, y, m, s, roots, t, inverse):
    """Make a pass of radix 3 from the strip at point x of the work array to the one at y."""
    one = (2 if inverse else 1) * m * s
    two = 3 * m * s - one
    for _ in range(m):
        w1 = broadcast(roots, t)
        w2 = broadcast(roots, t + 1)
        for _ in range(s):
            a = load(work, x)
            b = load(work, x + one)
            c = load(work, x + two)
            even = b + c
            odd = turned(b - c) * SIN_60
            store(work, y, a + even)
            a = multiply_add(even, -0.5, a)
            store(work, y + s, (a + odd) * w1)
            store(work, y + 2 * s, (a - odd) * w2)
            x += 1
            y += 1
        y += 2 * s
        t += 2


@inner
def pass_of_five(work, x, y, m, s, roots, t, inverse):
    """Make a pass of radix 5 from the strip at point x of the work array to the one at y."""
    one = (4 if inverse else 1) * m * s
    two = (3 if inverse else 2) * m * s
    three = 5 * m * s - two
    four = 5 * m * s - one
    for _ in range(m):
        for _ in range(s):
            a = load(work, x)
            b = load(work, x + one)
            c = load(work, x + two)
            d = load(work, x + three)
            e = load(work, x + four)
            outer = b + e
            inner = c + d
            b = turned(b - e)
            c = turned(c - d)
            store(work, y, a + outer + inner)
            even = multiply_add(outer, COS_72, multiply_add(inner, COS_144, a))
            odd = multiply_add(b, SIN_72, c * SIN_144)
            store(work, y + s, (even + odd) * broadcast(roots, t))
            store(work, y + 4 * s, (even - odd) * broadcast(roots, t + 3))
            even = multiply_add(outer, COS_144, multiply_add(inner, COS_72, a))
            odd = multiply_add(b, SIN_144, c * -SIN_72)
            store(work, y + 2 * s, (even + odd) * broadcast(roots, t + 1))
            store(work, y + 3 * s, (even - odd) * broadcast(roots, t + 2))
            x += 1
            y += 1
        y += 4 * s
        t += 4


@inner
def pass_of_seven(work, x, y, m, s, roots, t, inverse):
    """Make a pass of radix 7 from the strip at point x of the work array to the one at y."""
    one = (6 if inverse else 1) * m * s
    two = (5 if inverse else 2) * m * s
    three = (4 if inverse else 3) * m * s
    all_seven = 7 * m * s
    for _ in range(m):
        for _ in range(s):
            a = load(work, x)
            b = load(work, x + one)
            g = load(work, x + all_seven - one)
            c = load(work, x + two)
            f = load(work, x + all_seven - two)
            d = load(work, x + three)
            e = load(work, x + all_seven - three)
            u = b + g
            v = c + f
            w = d + e
            b = turned(b - g)
            c = turned(c - f)
            d = turned(d - e)
            store(work, y, a + u + v + w)
            even = multiply_add(u, COS_51, multiply_add(v, COS_103, multiply_add(w, COS_154, a)))
            odd = multiply_add(b, SIN_51, multiply_add(c, SIN_103, d * SIN_154))
            store(work, y + s, (even + odd) * broadcast(roots, t))
            store(work, y + 6 * s, (even - odd) * broadcast(roots, t + 5))
            even = multiply_add(u, COS_103, multiply_add(v, COS_154, multiply_add(w, COS_51, a)))
            odd = multiply_add(b, SIN_103, multiply_add(c, -SIN_154, d * -SIN_51))
            store(work, y + 2 * s, (even + odd) * broadcast(roots, t + 1))
            store(work, y + 5 * s, (even - odd) * broadcast(roots, t + 4))
            even = multiply_add(u, COS_154, multiply_add(v, COS_51, multiply_add(w, COS_103, a)))
            odd = multiply_add(b, SIN_154, multiply_add(c, -SIN_51, d * SIN_103))
            store(work, y + 3 * s, (even + odd) * broadcast(roots, t + 2))
            store(work, y + 4 * s, (even - odd) * broadcast(roots, t + 3))
            x += 1
            y += 1
        y += 6 * s
        t += 6


@inner
def pass_of_prime(work, x, y, radix, m, s, roots, t):
    """Make a pass of a prime radix from the strip at point x of the work array to the one at y.

    The table has exp(-2 pi i j / r), j = 0 ... r - 1, before the other roots; their conjugates for
    the inverse.  Operands may lie a page apart: they are brought together at the end of the work
    array.  Two pairs of outputs are summed at a time: k and r - k, n and r - n.
    """
    half = radix // 2
    sums = work.size // (2 * lanes(work)) - radix  # u_j at sums + j, d_j at differences + j
    differences = sums + half
    turns = t
    t += radix
    for _ in range(m):
        for _ in range(s):
            a = load(work, x)
            total = a
            for j in range(1, half + 1):
                b = load(work, x + j * m * s)
                c = load(work, x + (radix - j) * m * s)
                total = total + (b + c)
                store(work, sums + j, b + c)
                store(work, differences + j, turned(b - c))
            store(work, y, total)
            for k in range(1, half + 1, 2):
                n = min(k + 1, half)
                even_k = even_n = a
                odd_k = odd_n = a - a
                at_k = at_n = 0  # j k and j n, modulo r
                for j in range(1, half + 1):
                    at_k += k - radix * (at_k + k >= radix)
                    at_n += n - radix * (at_n + n >= radix)
                    u = load(work, sums + j)
                    d = load(work, differences + j)
                    even_k = multiply_add(u, roots[turns + at_k].real, even_k)
                    odd_k = multiply_add(d, -roots[turns + at_k].imag, odd_k)
                    even_n = multiply_add(u, roots[turns + at_n].real, even_n)
                    odd_n = multiply_add(d, -roots[turns + at_n].imag, odd_n)
                store(work, y + k * s, (even_k + odd_k) * broadcast(roots, t + k - 1))
                store(work, y + n * s, (even_n + odd_n) * broadcast(roots, t + n - 1))
                mirror_k, mirror_n = radix - k, radix - n
                store(work, y + mirror_k * s, (even_k - odd_k) * broadcast(roots, t + mirror_k - 1))
                store(work, y + mirror_n * s, (even_n - odd_n) * broadcast(roots, t + mirror_n - 1))
            x += 1
            y += 1
        y += (radix - 1) * s
        t += radix - 1
