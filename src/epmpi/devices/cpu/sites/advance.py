"""Loops over the sites of a block of rows: stress, draws and switching (Eqs. 1 and 2)."""

from __future__ import annotations

import numpy as np

from epmpi.devices.cpu.compiler import compiled, switching
from epmpi.devices.cpu.sites.choice import choose_inactive, limit_draws, strain_active
from epmpi.devices.cpu.sites.draws import CHUNK, GROUP, draw_blocks, place_of_draw
from epmpi.devices.cpu.sites.masks import FEW, SITES

draw_limits = switching.draw_limits
switch_site = switching.switch_site
SWITCHING = switching.SWITCHING


# A loop over a slice that begins at 0 is vectorised; one from `begin` on is not, for fear of
# negative indices.


@compiled
def advance_stress(stress, stress_rate, time_step, loading):
    """Integrate Eq. (1) over a step: sigma += dt (2 mu G * d(eps_pl)/dt) + mu gdot dt."""
    for i in range(stress.size):
        stress[i] += time_step * stress_rate[i] + loading


@compiled
def write_source(active, source):
    """Write n s, whose response is wanted, in the precision of the transform."""
    for i in range(active.size):
        source[i] = active[i]


@compiled
def advance_sites(
    stress,
    plastic_strain,
    active,
    stress_rate,
    source,
    seed,
    step,
    first_site,
    rule,
    increments,
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
    active : int8 array, shape (sites,)
        n s: 0 inactive, +1 or -1 active; updated in place.
    stress_rate : float array, shape (sites,)
        2 mu G * d(eps_pl)/dt, for n s before the step.
    source : float array, shape (sites,)
        n s after the step, written for the transform; it may be the array of the rate.
    seed, step, first_site : uint64
        Key of the draws, number of the step, global index of the first site.
    rule : rules.SwitchingRule
    increments : rules.Increments
    begun : int64 array, shape (sites,) or (0,)
        Its beginning receives the index of each site where an event began; nothing if it is empty.

    Returns
    -------
    int
        Number of events that began.
    """
    time_step = increments.time
    inactive_limit, active_limit = draw_limits(rule, time_step)
    pairs = np.empty(CHUNK // 4, np.uint64)
    draws = pairs.view(np.uint16)
    limits = np.empty(CHUNK // SITES)
    chosen = np.empty(2 * CHUNK + FEW, np.int64)
    chunk_sites = np.uint64(CHUNK)
    events = 0
    begin = 0
    while begin < stress.size:
        chunk = (first_site + np.uint64(begin)) // chunk_sites
        origin = np.int64(chunk * chunk_sites - first_site)  # perhaps before the first site
        end = min(origin + CHUNK, stress.size)
        draw_blocks(pairs, seed, SWITCHING, step, chunk * np.uint64(CHUNK // GROUP))
        advance_stress(stress[begin:end], stress_rate[begin:end], time_step, increments.stress)
        limit_draws(stress, active, origin, inactive_limit, rule, time_step, limits)
        count = choose_inactive(draws, stress, active, origin, limits, rule, time_step, chosen)
        strained = strain_active(
            draws, plastic_strain[begin:end], active[begin:end], begin - origin,
            increments.strain, active_limit, chosen[count:],
        )  # fmt: skip
        for n in range(count, count + strained):  # a sum of slices takes seconds to compile
            chosen[n] += begin
        for i in chosen[: count + strained]:
            leading = np.uint64(draws[place_of_draw(i - origin)])
            site = first_site + np.uint64(i)
            active[i], began = switch_site(
                active[i], float(stress[i]), leading, site, seed, step, rule, time_step
            )
            if began:
                if begun.size:
                    begun[events] = i
                events += 1
        write_source(active[begin:end], source[begin:end])
        begin = end
    return events


@compiled
def sum_rows(stress, plastic_strain, active, sums):
    """Write the sums of sigma, sigma^2, eps_pl and n over each row.

    Parameters
    ----------
    stress, plastic_strain, active : arrays, shape (rows, Ly)
    sums : float64 array, shape (rows, 4)
    """
    for i in range(stress.shape[0]):
        first = second = strain = 0.0
        number = 0
        for j in range(stress.shape[1]):
            value = float(stress[i, j])
            first += value
            second += value * value
            strain += plastic_strain[i, j]
            number += active[i, j] != 0
        sums[i, 0] = first
        sums[i, 1] = second
        sums[i, 2] = strain
        sums[i, 3] = number
