"""Kernels over the sites: stress, draws and switching (Eqs. 1 and 2), and sums over rows."""

from __future__ import annotations

import numpy as np

from epmpi.devices.gpu.compiler import (
    THREADS,
    cuda,
    kernel,
    randomness,
    rules,
    switching,
)

may_activate = rules.may_activate
switch_site = switching.switch_site
half_word = randomness.half_word
uniform = randomness.uniform
words = randomness.words

SWITCHING = np.uint64(randomness.SWITCHING)
LEADING_SCALE = randomness.LEADING_SCALE
BLOCK_SITES = randomness.BLOCK_SITES
LANES = randomness.LANES
GROUP = randomness.GROUP
LANE_BITS = randomness.LANE_BITS
GROUP_BITS = randomness.GROUP_BITS
GROUP_MASK = np.uint64(GROUP - 1)
SUMS = 4


@cuda.jit(device=True)
def new_direction(here, stress, leading, site, seed, step, limits, rule, time_step):
    """Return n s of a site after one step, and whether a new event began.

    The bounds spare nearly all sites the rule itself, `switching.switch_site`.
    """
    if here != 0:
        may_switch = leading <= limits[1]
    elif leading <= limits[0]:
        may_switch = may_activate(stress, leading * LEADING_SCALE, rule, time_step)
    else:
        may_switch = False
    if may_switch:
        return switch_site(here, stress, leading, site, seed, step, rule, time_step)
    return here, False


@kernel
def advance_sites(
    stress,
    plastic_strain,
    active,
    stress_rate,
    source,
    seed,
    step,
    first_site,
    limits,
    rule,
    increments,
    begun,
    events,
):
    """Advance consecutive sites by one step; see `cpu.sites.advance.advance_sites`.

    A thread takes the eight sites that share a block of draws: they are 32 apart, so that the lanes
    of a warp read and write neighbours.

    Parameters
    ----------
    step : uint64 array, shape (1,)
        Number of the step.
    limits : tuple of two uint64
        Leading bits above which no inactive, and no active site switches.
    begun : int64 array, shape (sites,) or (0,)
        Its beginning receives the sites where an event began, in any order.
    events : int64 array, shape (2,)
        The number of events that began is added to the first; to the second if `begun` is given.
    """
    time_step = increments.time
    thread = cuda.grid(1)
    first_block = (first_site >> GROUP_BITS) << LANE_BITS
    skipped = int(first_site & GROUP_MASK)
    lowest = (thread // LANES) * GROUP + thread % LANES - skipped
    if lowest >= stress.size:
        return
    now = step[0]
    drawn = words(seed, SWITCHING, now, first_block + np.uint64(thread))
    for which in range(BLOCK_SITES):
        i = lowest + which * LANES
        if i >= 0 and i < stress.size:
            stress[i] += time_step * stress_rate[i] + increments.stress
            here = active[i]
            if here != 0:
                plastic_strain[i] += here * increments.strain
            site, leading = first_site + np.uint64(i), half_word(drawn, which)
            after, began = new_direction(
                here, float(stress[i]), leading, site, seed, now, limits, rule, time_step
            )
            if after != here:
                active[i] = after
            if began:
                cuda.atomic.add(events, 0, 1)
                if begun.size > 0:
                    begun[cuda.atomic.add(events, 1, 1)] = i
            source[i] = after


@kernel
def advance_batch(
    stress,
    plastic_strain,
    active,
    stress_rate,
    source,
    seeds,
    step,
    limits,
    rule,
    increments,
    begun,
    events,
):
    """Advance the lattices of a batch by one step, each with a seed of its own.

    The threads of one lattice follow those of the one before; see `advance_sites`.

    Parameters
    ----------
    stress, plastic_strain, active, stress_rate, source : arrays, shape (Lx, lattices, Ly)
    seeds : uint64 array, shape (lattices,)
    step, limits, rule, increments
        As in `advance_sites`.
    begun : int64 array, shape (lattices, sites) or (lattices, 0)
    events : int64 array, shape (lattices, 2)
        As in `advance_sites`, for each lattice.
    """
    time_step = increments.time
    length, lattices, width = stress.shape
    sites = length * width
    threads = (sites + GROUP - 1) // GROUP * LANES
    thread = cuda.grid(1)
    lattice = thread // threads
    thread -= lattice * threads
    if lattice >= lattices:
        return
    seed = seeds[lattice]
    now = step[0]
    drawn = words(seed, SWITCHING, now, np.uint64(thread))
    for which in range(BLOCK_SITES):
        i = (thread // LANES) * GROUP + thread % LANES + which * LANES
        if i < sites:
            x = i // width
            y = i - x * width
            stress[x, lattice, y] += time_step * stress_rate[x, lattice, y] + increments.stress
            here = active[x, lattice, y]
            if here != 0:
                plastic_strain[x, lattice, y] += here * increments.strain
            at, leading = float(stress[x, lattice, y]), half_word(drawn, which)
            after, began = new_direction(
                here, at, leading, np.uint64(i), seed, now, limits, rule, time_step
            )
            if after != here:
                active[x, lattice, y] = after
            if began:
                cuda.atomic.add(events, (lattice, 0), 1)
                if begun.shape[1] > 0:
                    begun[lattice, cuda.atomic.add(events, (lattice, 1), 1)] = i
            source[x, lattice, y] = after


@kernel
def count_waits(begun, events, first_site, step, since, last, edges, number):
    """Count the waits that events end; each thread takes some.  See `Device.count_waits`.

    Parameters
    ----------
    events : int64 array, shape (1,)
        Their number.
    """
    now = int(step[0])
    if now < since[0]:
        return
    for n in range(cuda.grid(1), events[0], cuda.gridsize(1)):
        site = first_site + begun[n]
        before = last[site]
        last[site] = now
        if before >= 0:
            wait = now - before
            low = 0
            high = edges.size
            while low < high:
                middle = (low + high) // 2
                if edges[middle] < wait:
                    low = middle + 1
                else:
                    high = middle
            cuda.atomic.add(number, low - 1, 1)


@kernel
def fill_uniforms(drawn, seed, stream, step, first):
    """Fill `drawn` (float64, shape (count,)) with the uniforms of the sites from `first` on."""
    i = cuda.grid(1)
    if i < drawn.size:
        drawn[i] = uniform(seed, stream, step, first + np.uint64(i))


@kernel
def sum_rows(stress, plastic_strain, active, sums):
    """Write the sums of sigma, sigma^2, eps_pl and n over each row; a block of threads takes one.

    Each thread adds up sites in order, then the threads are added pairwise: always the same
    roundings.  Arguments as in `cpu.sites.advance.sum_rows`.
    """
    parts = cuda.shared.array((SUMS, THREADS), np.float64)
    row = cuda.blockIdx.x
    thread = cuda.threadIdx.x
    first = 0.0
    second = 0.0
    strain = 0.0
    number = 0.0
    for j in range(thread, stress.shape[1], THREADS):
        value = float(stress[row, j])
        first += value
        second += value * value
        strain += plastic_strain[row, j]
        if active[row, j] != 0:
            number += 1.0
    parts[0, thread] = first
    parts[1, thread] = second
    parts[2, thread] = strain
    parts[3, thread] = number
    width = THREADS // 2
    while width > 0:
        cuda.syncthreads()
        if thread < width:
            for k in range(SUMS):
                parts[k, thread] += parts[k, thread + width]
        width //= 2
    cuda.syncthreads()
    if thread < SUMS:
        sums[row, thread] = parts[thread, 0]
