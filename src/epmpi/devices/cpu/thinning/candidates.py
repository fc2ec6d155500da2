"""The exact clock: activations by thinning, ends of events by their constant rate.

Candidates come with the rate of the bounds and 1 / tau_res for each active site (Lewis and
Shedler, Naval Res. Logist. Q. 26, 403, 1979).  One that falls on a tile is an activation with the
chance of its true rate, at its own time, over the bound.  No waiting time depends on what was
before: where one would lead beyond the horizon, all is drawn anew from there.
"""

from __future__ import annotations

import math

import numpy as np

from epmpi.devices.cpu.compiler import part, randomness, record_loop
from epmpi.devices.cpu.thinning.bounds import change_rates, renew_bound_of, renew_bounds
from epmpi.devices.cpu.thinning.lanes import choose
from epmpi.devices.cpu.thinning.tiles import choose_site, leave_out, rules, tile_of, update_tile
from epmpi.devices.thinning import FULL, LONGEST, REACHED

activation_direction = rules.activation_direction
activation_rate = rules.activation_rate
words = randomness.words
uniform_of = randomness.uniform_of

CANDIDATES = np.uint64(randomness.CANDIDATES)
TIME, DIRECTION = np.uint64(0), np.uint64(1)  # blocks of draws of a candidate


@part
def draw_next(now, progress, seed, rule):
    """Set the time of the next candidate, or the horizon if that comes first."""
    total = progress.bound + progress.active * rule.rate_off
    block = words(seed, CANDIDATES, progress.candidate, TIME)
    waiting = -math.log1p(-uniform_of(block[0], block[1])) / total
    progress.next = min(now + waiting, progress.horizon)


@part
def begin_event(now, x, y, tile, number, records, progress, seed, rule):
    """Begin an event at a site; return its direction."""
    _, sites, _, events, _ = records
    block = words(seed, CANDIDATES, progress.candidate, DIRECTION)
    aside = uniform_of(block[0], block[1])
    direction = activation_direction(sites.stress[tile, number], rule, aside)
    sites.active[x, y] = direction
    sites.inactive[tile, number] = 0.0
    n, begun = progress.active, progress.begun
    events.active_x[n], events.active_y[n], events.active_since[n] = x, y, now
    events.begun_at[begun] = now
    events.waited[begun] = now - sites.last[x, y]
    sites.last[x, y] = now
    progress.active += 1
    progress.begun += 1
    return direction


@part
def end_event(now, number, records, progress):
    """End the event of active site `number`; return its place and direction."""
    medium, sites, _, events, _ = records
    x, y = events.active_x[number], events.active_y[number]
    direction, n, last = sites.active[x, y], progress.completed, progress.active - 1
    events.x[n], events.y[n], events.direction[n] = x, y, direction
    events.start[n], events.end[n] = events.active_since[number], now
    events.active_x[number], events.active_y[number] = events.active_x[last], events.active_y[last]
    events.active_since[number] = events.active_since[last]
    progress.completed += 1
    progress.active = last
    tile, place = tile_of(x, y, medium)
    sites.active[x, y] = 0
    sites.inactive[tile, place] = 1.0
    return x, y, tile, direction


@part
def take_candidate(now, records, progress, seed, rule):
    """End or begin an event, or refuse the candidate; renew the bounds that this changes."""
    medium, sites, tiles, _, scratch = records
    ending = progress.active * rule.rate_off
    block = words(seed, CANDIDATES, progress.candidate, TIME)
    share = uniform_of(block[2], block[3]) * (ending + progress.bound)
    x = y = direction = 0
    change = 0.0
    if share < ending:
        number = min(int(share / rule.rate_off), progress.active - 1)
        x, y, tile, direction = end_event(now, number, records, progress)
        change = -1.0
    else:
        tile, share = choose(share - ending, tiles.bound, 0, tiles.bound.size, scratch.bound_sums)
    update_tile(now, tile, records, progress, rule)
    if change == 0.0:
        progress.violated += tiles.total[tile] > tiles.bound[tile]
        if share < tiles.total[tile]:
            x, y, number, share = choose_site(share, tile, medium, scratch)
            if share < activation_rate(sites.stress[tile, number], rule):
                change = 1.0
                direction = begin_event(now, x, y, tile, number, records, progress, seed, rule)
                leave_out(number, tile, tiles, scratch, rule)
    if change == 0.0:
        progress.refused += 1
        renew_bound_of(tile, now, records, progress, rule)
        return
    change_rates(now, x, y, direction, change, medium, tiles, progress)
    tiles.fallen[tile] = tiles.risen[tile] = 0.0  # seen now
    renew_bounds(now, records, progress, rule)


@record_loop
def follow(until, stop, records, state, seed, rule):
    """Follow all events up to a time, or until so many have been completed since the last flush.

    Parameters
    ----------
    until : float
    stop : int
        Completed events; at most the capacity of the log.
    records : Records
        Updated.
    state : array of one PROGRESS
    seed : uint64
    rule : rules.SwitchingRule

    Returns
    -------
    int
        REACHED or FULL.
    """
    progress = state[0]
    while progress.completed < stop:
        if progress.next > until:
            return REACHED
        now = progress.now = progress.next
        if now >= progress.horizon:
            renew_bounds(now, records, progress, rule)
        else:
            take_candidate(now, records, progress, seed, rule)
        progress.candidate += np.uint64(1)
        draw_next(now, progress, seed, rule)
        if now > LONGEST:
            return FULL
    return FULL
