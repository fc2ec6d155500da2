"""Loops over the sites of a block of rows: stress, draws and switching (Eqs. 1 and 2)."""

from __future__ import annotations

import numpy as np

from epmpi.devices.cpu.compiler import compiled, randomness, rules

activation_bound = rules.activation_bound
activation_direction = rules.activation_direction
activation_rate = rules.activation_rate
switching_probabilities = rules.switching_probabilities
complete_uniform = randomness.complete_uniform
uniform = randomness.uniform
words = randomness.words

SWITCHING = np.uint64(randomness.SWITCHING)
DIRECTION = np.uint64(randomness.DIRECTION)
WORD_SCALE = randomness.WORD_SCALE
GROUP = randomness.GROUP
LANES = randomness.LANES
CHUNK = 8 * GROUP  # sites whose draws are held at a time, so that they stay in the first cache


@compiled
def draw_words(high, seed, stream, step, first_group):
    """Fill `high` with the high words of the uniforms of whole groups of sites.

    Parameters
    ----------
    high : uint64 array, shape (groups * GROUP,)
    seed, stream, step : uint64
        See `epmpi.randomness.words`.
    first_group : uint64
        Global index of the first site, divided by GROUP.
    """
    half = LANES // 2
    for group in range(high.size // GROUP):
        base = group * GROUP
        index = (first_group + np.uint64(group)) * np.uint64(LANES)
        for lane in range(half):  # two blocks at a time: one leaves the multipliers idle
            a = words(seed, stream, step, index + np.uint64(lane))
            b = words(seed, stream, step, index + np.uint64(lane + half))
            high[base + lane] = a[0]
            high[base + lane + LANES] = a[1]
            high[base + lane + 2 * LANES] = a[2]
            high[base + lane + 3 * LANES] = a[3]
            high[base + lane + half] = b[0]
            high[base + lane + half + LANES] = b[1]
            high[base + lane + half + 2 * LANES] = b[2]
            high[base + lane + half + 3 * LANES] = b[3]


@compiled
def fill_uniforms(drawn, seed, stream, step, first):
    """Fill `drawn` (float64, shape (count,)) with the uniforms of the sites from `first` on."""
    for i in range(drawn.size):
        drawn[i] = uniform(seed, stream, step, first + np.uint64(i))


@compiled
def switch_site(direction, stress, high, site, seed, step, parameters):
    """Return the direction of a site after one step, and whether a new event began.

    `high` is the high word of its draw; `parameters` is (reading, attempt_rate, yield_stress,
    temperature, rate_off, time_step).
    """
    reading, attempt_rate, yield_stress, temperature, rate_off, time_step = parameters
    rate_on = activation_rate(stress, reading, attempt_rate, yield_stress, temperature)
    activated, deactivated, renewed = switching_probabilities(rate_on, rate_off, time_step)
    changes = deactivated + renewed if direction != 0 else activated
    if high * WORD_SCALE >= changes:
        return direction, False
    draw = complete_uniform(high, seed, SWITCHING, step, site)
    if draw >= changes:
        return direction, False
    if direction != 0 and draw < deactivated:
        return np.int8(0), False
    aside = uniform(seed, DIRECTION, step, site)
    return np.int8(activation_direction(stress, reading, yield_stress, aside)), True


@compiled
def advance_sites(
    stress,
    plastic_strain,
    direction,
    stress_rate,
    source,
    seed,
    step,
    first_site,
    forcing,
    parameters,
    begun,
):
    """Advance stress and plastic strain of consecutive sites by one step, then switch them.

    The stress is integrated with the rates that held over the step, ``sigma += dt (mu gdot + 2 mu
    G * d(eps_pl)/dt)`` (Eq. 1); then each site switches with the exact probabilities at that stress
    (Eq. 2).

    Parameters
    ----------
    stress : float array, shape (sites,)
        sigma, updated in place.
    plastic_strain : float64 array, shape (sites,)
        Updated in place.
    direction : int8 array, shape (sites,)
        n s: 0 inactive, +1 or -1 active; updated in place.
    stress_rate : float array, shape (sites,)
        2 mu G * d(eps_pl)/dt, for the directions before the step.
    source : float array, shape (sites,)
        The directions after the step, written for the transform.
    seed, step, first_site : uint64
        Key of the draws, number of the step, global index of the first site.
    forcing : tuple of float
        (mu gdot dt, eps0 dt / (2 tau)): what a step adds to every stress, and to the plastic strain
        of an active site.
    parameters : tuple
        See `switch_site`.
    begun : int64 array, shape (sites,) or (0,)
        Its beginning receives the index of each site where an event began; nothing if it is empty.

    Returns
    -------
    int
        Number of events that began.
    """
    loading, strain_step = forcing
    reading, attempt_rate, yield_stress, temperature, _, time_step = parameters
    # P01 <= p_on dt: draws above a bound of it are settled without Eq. (2), nearly all of them.
    highest = activation_bound(yield_stress, reading, attempt_rate, yield_stress, temperature)
    threshold = np.uint64(min(highest * time_step, 1.0) / WORD_SCALE)
    high = np.empty(CHUNK, np.uint64)
    chunk_sites = np.uint64(CHUNK)
    events = 0
    begin = 0
    while begin < stress.size:
        site = first_site + np.uint64(begin)
        chunk = site // chunk_sites
        skipped = np.int64(site - chunk * chunk_sites)
        end = min(begin + CHUNK - skipped, stress.size)
        draw_words(high, seed, SWITCHING, step, chunk * np.uint64(CHUNK // GROUP))
        for i in range(begin, end):
            stress[i] += time_step * stress_rate[i] + loading
        for i in range(begin, end):
            here = direction[i]
            word = high[skipped + i - begin]
            if here == 0:
                if word > threshold:
                    continue
                at = float(stress[i])
                bound = activation_bound(at, reading, attempt_rate, yield_stress, temperature)
                if word * WORD_SCALE > bound * time_step:
                    continue
            plastic_strain[i] += here * strain_step
            after, began = switch_site(
                here, float(stress[i]), word, first_site + np.uint64(i), seed, step, parameters
            )
            direction[i] = after
            if began:
                if begun.size:
                    begun[events] = i
                events += 1
        for i in range(begin, end):
            source[i] = direction[i]
        begin = end
    return events


@compiled
def sum_rows(stress, plastic_strain, direction, sums):
    """Write the sums of sigma, sigma^2, eps_pl and n over each row.

    Parameters
    ----------
    stress, plastic_strain, direction : arrays, shape (rows, Ly)
    sums : float64 array, shape (rows, 4)
    """
    for i in range(stress.shape[0]):
        first = second = strain = 0.0
        active = 0
        for j in range(stress.shape[1]):
            value = float(stress[i, j])
            first += value
            second += value * value
            strain += plastic_strain[i, j]
            active += direction[i, j] != 0
        sums[i, 0] = first
        sums[i, 1] = second
        sums[i, 2] = strain
        sums[i, 3] = active
