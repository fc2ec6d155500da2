"""The draws of the sites of a chunk, in the order in which the vector unit makes them."""

from __future__ import annotations

import numpy as np

from epmpi.devices.cpu.compiler import compiled, randomness

uniform = randomness.uniform
words = randomness.words

GROUP = randomness.GROUP
HALF_GROUP = GROUP // 2
LANES = randomness.LANES
WORD = randomness.WORD
CHUNK = 4 * GROUP  # sites that are worked on at a time, so that all of theirs is in the first cache


@compiled
def draw_blocks(pairs, seed, stream, step, first_group):
    """Fill `pairs` with the blocks of draws of whole groups of sites, two words a number.

    Seen as 16-bit numbers it holds, for each group, the leading bits of the uniforms of the sites
    ``lane + 32 h`` at ``4 lane + h`` for h < 4, and at ``128 + 4 lane + h - 4`` for h >= 4.

    Parameters
    ----------
    pairs : uint64 array, shape (groups * GROUP / 4,)
    seed, stream, step : uint64
        See `epmpi.physics.randomness.words`.
    first_group : uint64
        Global index of the first site, divided by GROUP.
    """
    half = LANES // 2
    for group in range(pairs.size // (2 * LANES)):
        base = group * 2 * LANES
        index = (first_group + np.uint64(group)) * np.uint64(LANES)
        for lane in range(half):  # two blocks at a time: one leaves the multipliers idle
            a = words(seed, stream, step, index + np.uint64(lane))
            b = words(seed, stream, step, index + np.uint64(lane + half))
            pairs[base + lane] = a[0] | (a[1] << WORD)
            pairs[base + lane + half] = b[0] | (b[1] << WORD)
            pairs[base + lane + LANES] = a[2] | (a[3] << WORD)
            pairs[base + lane + LANES + half] = b[2] | (b[3] << WORD)


@compiled
def drawn_site(at):
    """Return the site, counted from the start of its chunk, whose draw is at a place."""
    return (at & -HALF_GROUP) + LANES * (at & 3) + (at & (HALF_GROUP - 1)) // 4


@compiled
def place_of_draw(site):
    """Return the place of the draw of a site, counted from the start of its chunk."""
    return (site & -HALF_GROUP) + 4 * (site & (LANES - 1)) + (site // LANES & 3)


@compiled
def fill_uniforms(drawn, seed, stream, step, first):
    """Fill `drawn` (float64, shape (count,)) with the uniforms of the sites from `first` on."""
    for i in range(drawn.size):
        drawn[i] = uniform(seed, stream, step, first + np.uint64(i))
