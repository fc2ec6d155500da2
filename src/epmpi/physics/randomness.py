"""Counter-based random numbers: a draw is a function of (seed, stream, step, site).

Philox4x32-10 of Salmon, Moraes, Dror and Shaw, *Parallel random numbers: as easy as 1, 2, 3*, SC'11
(2011), https://doi.org/10.1145/2063384.2063405.  The draws are the same on any number of ranks and
any device, and there is no generator state to store.

The functions are plain Python; a device compiles them.  Every 32-bit word is held in a 64-bit
unsigned integer, masked after each operation: 32-bit products widen in compiled CPU code and wrap
in the simulator of CUDA kernels; 64-bit products with a mask are the same everywhere.

A counter gives a block of four words: the leading 16 bits of the uniforms of eight sites.  The
trailing 37 bits come from a separate block of the site, drawn only in the rare cases that the
leading bits do not decide: so eight sites share a block, and every comparison still has 53 bits.
Sites that share a block are 32 apart, so that neighbouring lanes of a vector unit or of a warp work
on neighbouring sites.
"""

from __future__ import annotations

import numpy as np

# Every stream of random numbers of the program, in one list.
SWITCHING = 0  # whether a site switches in a step
DIRECTION = 1  # direction of an activation, where the stress does not decide it
INITIAL_STRESS = 2  # Gaussian initial stress
INITIAL_ACTIVITY = 3  # stationary start of the random model
TRACER_POSITIONS = 4  # initial tracer positions
CANDIDATES = 5  # all that is drawn for a candidate of the exact clock: waiting time, site, ...
THRESHOLDS = 6  # initial thresholds of instantaneous events

MULTIPLIER_0 = np.uint64(0xD2511F53)
MULTIPLIER_1 = np.uint64(0xCD9E8D57)
WEYL_0 = np.uint64(0x9E3779B9)  # golden ratio
WEYL_1 = np.uint64(0xBB67AE85)  # sqrt(3) - 1
MASK = np.uint64(0xFFFFFFFF)
WORD = np.uint64(32)

BLOCK_SITES = 8  # sites that share a block
LANES = 32  # distance of the sites that share a block
GROUP = LANES * BLOCK_SITES  # consecutive sites whose draws come from LANES consecutive blocks
LANE_MASK = np.uint64(LANES - 1)
LANE_BITS = np.uint64(5)
GROUP_BITS = np.uint64(8)

STREAM_SHIFT = np.uint64(16)
TRAILING_STREAM = np.uint64(0x8000)  # added to a stream: the trailing bits of its uniforms
HALF_MASK = np.uint64(7)  # which of the eight halves of the words of a block
LEADING_BITS = np.uint64(16)
LEADING_MASK = np.uint64(0xFFFF)
LEADING_SCALE = 2.0**-16
TRAILING_BITS = np.uint64(5)  # of the second word; the first gives 32
TRAILING_SHIFT = np.uint64(27)
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
        Purpose of the number: a constant of this module.
    step : uint64 below 2^48
        Number of the time step.
    index : uint64
        Number of the block.

    Returns
    -------
    tuple of four uint64 below 2^32
        Each for two sites; see `leading_bits`.
    """
    return philox(
        index & MASK,
        index >> WORD,
        step & MASK,
        (step >> WORD) | (stream << STREAM_SHIFT),
        seed & MASK,
        seed >> WORD,
    )


def uniform_of(high, low):
    """Return the uniform in [0, 1) from the 32 bits of `high` and the leading 21 of `low`.

    Parameters
    ----------
    high, low : uint64 below 2^32
    """
    bits = (high << np.uint64(21)) | (low >> np.uint64(11))
    return float(bits) * UNIFORM_SCALE


def half_word(block, which):
    """Return half `which` of 0 ... 7 of a block: w0 low, w0 high, w1 low, ... (uint64 below 2^16).

    It belongs to the site ``lane + 32 which`` of a group.
    """
    word = block[0]
    if which >= 6:
        word = block[3]
    elif which >= 4:
        word = block[2]
    elif which >= 2:
        word = block[1]
    return (word >> LEADING_BITS if which & 1 else word) & LEADING_MASK


def leading_bits(seed, stream, step, site):
    """Return the leading 16 bits of the uniform of one site (a uint64 below 2^16)."""
    index = ((site >> GROUP_BITS) << LANE_BITS) | (site & LANE_MASK)
    return half_word(words(seed, stream, step, index), int((site >> LANE_BITS) & HALF_MASK))


def complete_uniform(leading, seed, stream, step, site):
    """Return the uniform in [0, 1) with 53 bits, of which the leading 16 are given (a float64).

    It is at least ``leading * LEADING_SCALE``, and below ``(leading + 1) * LEADING_SCALE``.
    """
    block = words(seed, stream | TRAILING_STREAM, step, site)
    trailing = (block[0] << TRAILING_BITS) | (block[1] >> TRAILING_SHIFT)
    return (float(leading) * 137438953472.0 + float(trailing)) * UNIFORM_SCALE


def uniform(seed, stream, step, site):
    """Return the uniform in [0, 1) of a site, with 53 bits (a float64)."""
    return complete_uniform(leading_bits(seed, stream, step, site), seed, stream, step, site)
