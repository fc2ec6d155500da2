"""Loops over the sites of a block of rows: stress, draws and switching (Eqs. 1 and 2)."""

from __future__ import annotations

import numpy as np

from epmpi.devices.cpu.compiler import compiled, randomness, rules
from epmpi.devices.cpu.site_masks import SITES, lowest_bit, mask_at_most, mask_nonzero

activation_bound = rules.activation_bound
activation_direction = rules.activation_direction
activation_rate = rules.activation_rate
release_bound = rules.release_bound
switching_probabilities = rules.switching_probabilities
complete_uniform = randomness.complete_uniform
uniform = randomness.uniform
words = randomness.words

SWITCHING = np.uint64(randomness.SWITCHING)
DIRECTION = np.uint64(randomness.DIRECTION)
LEADING_SCALE = randomness.LEADING_SCALE
LEADING_MASK = randomness.LEADING_MASK
GROUP = randomness.GROUP
HALF_GROUP = GROUP // 2
LANES = randomness.LANES
WORD = randomness.WORD
CHUNK = 4 * GROUP  # sites that are worked on at a time, so that all of theirs is in the first cache
NEXT = np.uint64(1)


@compiled
def draw_blocks(pairs, seed, stream, step, first_group):
    """Fill `pairs` with the blocks of draws of whole groups of sites, two words a number.

    Seen as 16-bit numbers it holds, for each group, the leading bits of the uniforms of the sites
    ``lane + 32 h`` at ``4 lane + h`` for h < 4, and at ``128 + 4 lane + h - 4`` for h >= 4.

    Parameters
    ----------
    pairs : uint64 array, shape (groups * GROUP / 4,)
    seed, stream, step : uint64
        See `epmpi.randomness.words`.
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
    """Return the site, counted from the start of its chunk, whose draw stands at a place."""
    return (at & -HALF_GROUP) + LANES * (at & 3) + (at & (HALF_GROUP - 1)) // 4


@compiled
def place_of_draw(site):
    """Return where the draw of a site stands, counted from the start of its chunk."""
    return (site & -HALF_GROUP) + 4 * (site & (LANES - 1)) + (site // LANES & 3)


@compiled
def fill_uniforms(drawn, seed, stream, step, first):
    """Fill `drawn` (float64, shape (count,)) with the uniforms of the sites from `first` on."""
    for i in range(drawn.size):
        drawn[i] = uniform(seed, stream, step, first + np.uint64(i))


@compiled
def switch_site(direction, stress, leading, site, seed, step, parameters):
    """Return the direction of a site after one step, and whether a new event began.

    `leading` are the leading bits of its draw; `parameters` is (reading, attempt_rate,
    yield_stress, temperature, rate_off, time_step).
    """
    reading, attempt_rate, yield_stress, temperature, rate_off, time_step = parameters
    rate_on = activation_rate(stress, reading, attempt_rate, yield_stress, temperature)
    activated, deactivated, renewed = switching_probabilities(rate_on, rate_off, time_step)
    changes = deactivated + renewed if direction != 0 else activated
    if leading * LEADING_SCALE >= changes:
        return direction, False
    draw = complete_uniform(leading, seed, SWITCHING, step, site)
    if draw >= changes:
        return direction, False
    if direction != 0 and draw < deactivated:
        return np.int8(0), False
    aside = uniform(seed, DIRECTION, step, site)
    return np.int8(activation_direction(stress, reading, yield_stress, aside)), True


@compiled
def draw_limits(parameters):
    """Return the leading bits above which no inactive, and no active site switches (uint64).

    P01 <= p_on dt, at the highest rate there is; an active site stays with the probability
    exp(-p_off dt) at any stress.
    """
    reading, attempt_rate, yield_stress, temperature, rate_off, time_step = parameters
    highest = activation_bound(yield_stress, reading, attempt_rate, yield_stress, temperature)
    inactive = min(highest * time_step, 1.0) / LEADING_SCALE
    active = min(release_bound(rate_off, time_step), 1.0) / LEADING_SCALE
    return min(np.uint64(inactive), LEADING_MASK), min(np.uint64(active), LEADING_MASK)


@compiled
def choose_inactive(draws, stress, direction, origin, limit, parameters, chosen):
    """List the inactive sites of a chunk that their draw and a bound of Eq. (2) leave in doubt.

    Parameters
    ----------
    draws : uint16 array, shape (CHUNK,)
        As `draw_blocks` leaves them.
    stress, direction : arrays, shape (sites,)
    origin : int
        Index in these arrays of the chunk's first site; sites outside the arrays are passed over.
    limit : uint64
        Leading bits above which no inactive site switches, whatever its stress.
    parameters : tuple
        See `switch_site`.
    chosen : int64 array
        Its beginning receives their indices.

    Returns
    -------
    int
        Their number.
    """
    reading, attempt_rate, yield_stress, temperature, _, time_step = parameters
    number = 0
    for first in range(0, CHUNK, SITES):
        mask = mask_at_most(draws, first, limit)
        while mask != 0:
            at = first + lowest_bit(mask)
            mask &= mask - NEXT
            i = origin + drawn_site(at)
            if i < 0 or i >= stress.size or direction[i] != 0:
                continue
            here = float(stress[i])
            bound = activation_bound(here, reading, attempt_rate, yield_stress, temperature)
            if draws[at] * LEADING_SCALE <= bound * time_step:
                chosen[number] = i
                number += 1
    return number


@compiled
def strain_active(draws, plastic_strain, direction, origin, begin, end, strain_step, limit, chosen):
    """Strain the active sites begin ... end of a chunk; list those that may switch.

    Parameters
    ----------
    strain_step : float
        What an active site strains in a step.
    limit : uint64
        Leading bits above which no active site switches.
    draws, plastic_strain, direction, origin, chosen
        As in `choose_inactive`; plastic_strain is updated in place.

    Returns
    -------
    int
        The number of those that may switch.
    """
    number = 0
    for first in range(begin, end, SITES):
        start = max(min(first, direction.size - SITES), 0)
        mask = np.uint64(0)
        if direction.size >= SITES:
            mask = mask_nonzero(direction, start) >> np.uint64(first - start)
        else:
            for i in range(first, end):
                mask |= np.uint64(direction[i] != 0) << np.uint64(i - first)
        while mask != 0:
            i = first + lowest_bit(mask)
            mask &= mask - NEXT
            if i >= end:
                break
            plastic_strain[i] += direction[i] * strain_step
            if draws[place_of_draw(i - origin)] <= limit:
                chosen[number] = i
                number += 1
    return number


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
    inactive_limit, active_limit = draw_limits(parameters)
    time_step = parameters[5]
    pairs = np.empty(CHUNK // 4, np.uint64)
    draws = pairs.view(np.uint16)
    chosen = np.empty(CHUNK, np.int64)
    chunk_sites = np.uint64(CHUNK)
    events = 0
    begin = 0
    while begin < stress.size:
        chunk = (first_site + np.uint64(begin)) // chunk_sites
        origin = np.int64(chunk * chunk_sites - first_site)  # perhaps before the first site
        end = min(origin + CHUNK, stress.size)
        draw_blocks(pairs, seed, SWITCHING, step, chunk * np.uint64(CHUNK // GROUP))
        for i in range(begin, end):
            stress[i] += time_step * stress_rate[i] + loading
        count = choose_inactive(
            draws, stress, direction, origin, inactive_limit, parameters, chosen
        )
        count += strain_active(
            draws, plastic_strain, direction, origin, begin, end, strain_step, active_limit,
            chosen[count:],
        )  # fmt: skip
        for i in chosen[:count]:
            leading = np.uint64(draws[place_of_draw(i - origin)])
            site = first_site + np.uint64(i)
            direction[i], began = switch_site(
                direction[i], float(stress[i]), leading, site, seed, step, parameters
            )
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
