"""Counter-based random numbers: a draw is a function of (seed, stream, step, site).

Philox4x32-10 of Salmon, Moraes, Dror and Shaw, *Parallel random numbers: as easy as 1, 2, 3*, SC'11
(2011), https://doi.org/10.1145/2063384.2063405.  The draws are the same on any number of ranks and
any device, and there is no generator state to store.

The functions are plain Python; a device compiles them.  Every 32-bit word is held in a 64-bit
unsigned integer, masked after each operation: 32-bit products widen in compiled CPU code and wrap
in the simulator of CUDA kernels, 64-bit ones with a mask are the same everywhere.

A counter gives a block of four words.  A word is the high 32 bits of one site's uniform; the low 21
bits come from a second block that is drawn only where the high bits do not decide, which is almost
never: four sites share a block, and still every comparison has 53 bits.  Sites 32 apart share one,
so that neighbouring lanes of a vector unit or of a warp work on neighbouring sites.
"""

from __future__ import annotations

import numpy as np

# Every stream of random numbers of the program, in one list.
SWITCHING = 0  # does the site switch in this step?
DIRECTION = 1  # direction of an activation, where the stress does not decide it
INITIAL_STRESS = 2  # Gaussian initial stress
INITIAL_ACTIVITY = 3  # stationary start of the random model
TRACER_POSITIONS = 4  # initial tracer positions

MULTIPLIER_0 = np.uint64(0xD2511F53)
MULTIPLIER_1 = np.uint64(0xCD9E8D57)
WEYL_0 = np.uint64(0x9E3779B9)  # golden ratio
WEYL_1 = np.uint64(0xBB67AE85)  # sqrt(3) - 1
MASK = np.uint64(0xFFFFFFFF)
WORD = np.uint64(32)

BLOCK_SITES = 4  # sites that share a block
LANES = 32  # distance of the sites that share a block
GROUP = LANES * BLOCK_SITES  # consecutive sites whose draws come from LANES consecutive blocks
LANE_MASK = np.uint64(LANES - 1)
LANE_BITS = np.uint64(5)
GROUP_BITS = np.uint64(7)
WORD_INDEX_MASK = np.uint64(BLOCK_SITES - 1)

STREAM_SHIFT = np.uint64(16)
LOW_BITS_STREAM = np.uint64(0x8000)  # added to a stream: the low bits of its uniforms
LOW_BITS_SHIFT = np.uint64(11)
WORD_SCALE = 2.0**-32
UNIFORM_SCALE = 2.0**-53


def philox_round(c0, c1, c2, c3, k0, k1):
    """Return the counter words after one round; the arguments are uint64 below 2^32."""
    product_0 = MULTIPLIER_0 * c0
    product_1 = MULTIPLIER_1 * c2
    return (
        (product_1 >> WORD) ^ c1 ^ k0,
        product_1 & MASK,
        (product_0 >> WORD) ^ c3 ^ k1,
        product_0 & MASK,
    )


def philox(c0, c1, c2, c3, k0, k1):
    """Return the four words of Philox4x32-10 for counter (c0, c1, c2, c3) and key (k0, k1).

    Ten rounds, the key raised by the Weyl constants between them.

    Parameters
    ----------
    c0, c1, c2, c3, k0, k1 : uint64 below 2^32

    Returns
    -------
    tuple of four uint64 below 2^32
    """
    for _ in range(9):
        c0, c1, c2, c3 = philox_round(c0, c1, c2, c3, k0, k1)
        k0 = (k0 + WEYL_0) & MASK
        k1 = (k1 + WEYL_1) & MASK
    return philox_round(c0, c1, c2, c3, k0, k1)


def words(seed, stream, step, index):
    """Return the four words of one block.

    Parameters
    ----------
    seed : uint64
        Key of the generator.
    stream : uint64 below 2^15
        What the number is for: a constant of this module.
    step : uint64 below 2^48
        Number of the time step.
    index : uint64
        Number of the block.

    Returns
    -------
    tuple of four uint64 below 2^32
        For the sites ``lane``, ``lane + 32``, ``lane + 64``, ``lane + 96`` of their group.
    """
    return philox(
        index & MASK,
        index >> WORD,
        step & MASK,
        (step >> WORD) | (stream << STREAM_SHIFT),
        seed & MASK,
        seed >> WORD,
    )


def high_word(seed, stream, step, site):
    """Return the high 32 bits of the uniform of one site (a uint64 below 2^32)."""
    index = ((site >> GROUP_BITS) << LANE_BITS) | (site & LANE_MASK)
    w0, w1, w2, w3 = words(seed, stream, step, index)
    which = (site >> LANE_BITS) & WORD_INDEX_MASK
    if which == 0:
        return w0
    if which == 1:
        return w1
    return w2 if which == 2 else w3


def complete_uniform(high, seed, stream, step, site):
    """Return the uniform of [0, 1) with 53 bits whose high word is known (a float64).

    It is never below ``high * WORD_SCALE``.
    """
    low = high_word(seed, stream | LOW_BITS_STREAM, step, site) >> LOW_BITS_SHIFT
    return (float(high) * 2097152.0 + float(low)) * UNIFORM_SCALE


def uniform(seed, stream, step, site):
    """Return the uniform of [0, 1) with 53 bits that belongs to one site (a float64)."""
    return complete_uniform(high_word(seed, stream, step, site), seed, stream, step, site)
