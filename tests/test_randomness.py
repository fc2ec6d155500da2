"""Counter-based draws: the published vectors, 53 bits, the same on any slab."""

import numpy as np
import pytest

from epmpi.devices import CPU
from epmpi.devices.cpu import compiler
from epmpi.devices.cpu.sites.draws import draw_blocks, drawn_site, place_of_draw
from epmpi.physics import randomness

# Random123, kat_vectors, "philox4x32 10": counter, key, result.
KNOWN_ANSWERS = [
    (
        "00000000 00000000 00000000 00000000",
        "00000000 00000000",
        "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    ),
    (
        "ffffffff ffffffff ffffffff ffffffff",
        "ffffffff ffffffff",
        "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]
SEED, STEP = np.uint64(0x123456789ABCDEF), np.uint64((7 << 32) + 11)
SWITCHING = np.uint64(randomness.SWITCHING)


def words_of(text):
    return [np.uint64(int(word, 16)) for word in text.split()]


@pytest.mark.parametrize("philox", [randomness.philox, compiler.randomness.philox])
@pytest.mark.parametrize(("counter", "key", "result"), KNOWN_ANSWERS)
def test_philox_gives_the_published_answers(philox, counter, key, result):
    assert list(philox(*words_of(counter), *words_of(key))) == words_of(result)


def test_counter_and_key_hold_what_they_are_said_to():
    site_block, stream = np.uint64((3 << 32) + 5), np.uint64(randomness.TRACER_POSITIONS)
    expected = randomness.philox(
        *words_of("5 3 b 40007"), np.uint64(0x89ABCDEF), np.uint64(0x1234567)
    )
    assert randomness.words(SEED, stream, STEP, site_block) == expected


def test_sites_32_apart_share_a_block():
    for site in (0, 31, 32, 127, 128, 255, 256, 1000, 2**40 + 77):
        group, within = divmod(site, 256)
        which, lane = divmod(within, 32)
        block = randomness.words(SEED, SWITCHING, STEP, np.uint64(32 * group + lane))
        half = (int(block[which // 2]) >> 16 * (which % 2)) % 2**16
        assert randomness.leading_bits(SEED, SWITCHING, STEP, np.uint64(site)) == half


def test_compiled_draws_are_the_plain_ones():
    sites = [0, 1, 31, 32, 127, 128, 5000, 2**33 + 3]
    plain = [randomness.uniform(SEED, SWITCHING, STEP, np.uint64(site)) for site in sites]
    compiled = [
        compiler.randomness.uniform(SEED, SWITCHING, STEP, np.uint64(site)) for site in sites
    ]
    filled = [CPU().draw_uniforms(int(SEED), 0, int(STEP), site, 1)[0] for site in sites]
    assert plain == compiled == filled


def test_blocks_drawn_in_groups_are_those_of_the_sites():
    first_group, groups = 9, 3
    pairs = np.empty(groups * randomness.GROUP // 4, np.uint64)
    draw_blocks(pairs, SEED, SWITCHING, STEP, np.uint64(first_group))
    draws = pairs.view(np.uint16)
    first = first_group * randomness.GROUP
    for i in range(len(draws)):
        place = place_of_draw(i)
        assert drawn_site(place) == i
        site = np.uint64(first + i)
        assert draws[place] == randomness.leading_bits(SEED, SWITCHING, STEP, site)


@pytest.mark.parametrize(("start", "count"), [(0, 1), (1, 200), (255, 2), (130, 64), (511, 400)])
def test_draws_do_not_depend_on_where_a_slab_begins(start, count):
    whole = CPU().draw_uniforms(3, randomness.INITIAL_STRESS, 2, 0, 1000)
    part = CPU().draw_uniforms(3, randomness.INITIAL_STRESS, 2, start, count)
    np.testing.assert_array_equal(part, whole[start : start + count])


def test_seed_stream_step_and_site_all_matter():
    base = (5, randomness.SWITCHING, 6, 0)
    draws = {tuple(CPU().draw_uniforms(*base, 4))}
    for changed in ((4, 0, 6, 0), (5, 1, 6, 0), (5, 0, 7, 0), (5, 0, 6, 4), (5 + 2**32, 0, 6, 0)):
        draws.add(tuple(CPU().draw_uniforms(*changed, 4)))
    assert len(draws) == 6


def test_streams_are_distinct_and_leave_the_bit_of_the_trailing_bits_free():
    names = ["SWITCHING", "DIRECTION", "INITIAL_STRESS", "INITIAL_ACTIVITY", "TRACER_POSITIONS"]
    streams = [getattr(randomness, name) for name in names]
    assert len(set(streams)) == len(names)
    assert max(streams) < int(randomness.TRAILING_STREAM)


@pytest.mark.statistics
def test_uniforms_are_uniform_and_uncorrelated():
    n = 200_000
    drawn = CPU().draw_uniforms(1, randomness.SWITCHING, 0, 0, n)
    assert drawn.min() >= 0.0
    assert drawn.max() < 1.0
    # Four standard errors of mean, variance and correlations of a uniform.
    assert abs(drawn.mean() - 1 / 2) < 4 * np.sqrt(1 / 12 / n)
    assert abs(drawn.var() - 1 / 12) < 4 * np.sqrt(1 / 180 / n)
    for lag in (1, 32, 128, 256):
        correlation = np.mean((drawn[lag:] - 0.5) * (drawn[:-lag] - 0.5)) * 12
        assert abs(correlation) < 4 / np.sqrt(n)
    counts = np.bincount((drawn * 256).astype(int), minlength=256)
    chi_squared = np.sum((counts - n / 256) ** 2) / (n / 256)
    assert abs(chi_squared - 255) < 4 * np.sqrt(2 * 255)


@pytest.mark.statistics
def test_uniforms_have_53_bits_each_of_them_set_half_the_time():
    n = 20_000
    integers = CPU().draw_uniforms(1, randomness.SWITCHING, 0, 0, n) * 2.0**53
    np.testing.assert_array_equal(integers, np.floor(integers))
    bits = (integers.astype(np.uint64)[:, None] >> np.arange(53, dtype=np.uint64)) & np.uint64(1)
    assert np.all(np.abs(bits.mean(axis=0) - 0.5) < 5 * 0.5 / np.sqrt(n))
    # The 37 trailing bits, from a block of their own, say nothing about the leading ones.
    correlation = np.corrcoef(integers // 2**37, integers % 2**37)[0, 1]
    assert abs(correlation) < 4 / np.sqrt(n)


def test_a_uniform_lies_where_its_leading_bits_say():
    scale = randomness.LEADING_SCALE
    for site in range(50):
        leading = randomness.leading_bits(SEED, SWITCHING, STEP, np.uint64(site))
        completed = randomness.complete_uniform(leading, SEED, SWITCHING, STEP, np.uint64(site))
        assert float(leading) * scale <= completed < (float(leading) + 1) * scale
