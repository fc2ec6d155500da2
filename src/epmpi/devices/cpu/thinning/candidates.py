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
from epmpi.devices.cpu.thinning.tiles import (
    choose_site,
    evaluate,
    leave_out,
    rules,
    tile_of,
    update_tile,
)
from epmpi.devices.thinning import FULL, LONGEST, REACHED

activation_direction = rules.activation_direction
activation_rate = rules.activation_rate
words = randomness.words
uniform_of = randomness.uniform_of

CANDIDATES = np.uint64(randomness.CANDIDATES)
TIME, DIRECTION = np.uint64(0), np.uint64(1)  # blocks of draws of a candidate


@part
def draw(progress, seed, block):
    """Return two uniforms of the present candidate, of a block of its draws."""
    drawn = words(seed, CANDIDATES, progress.candidate, block)
    return uniform_of(drawn[0], drawn[1]), uniform_of(drawn[2], drawn[3])


@part
def draw_next(now, progress, seed, rule):
    """Set the time of the next candidate, or the horizon if that comes first."""
    total = progress.bound + progress.active * rule.rate_off
    first, _ = draw(progress, seed, TIME)
    progress.next = min(now - math.log1p(-first) / total, progress.horizon)


@part
def log_wait(now, x, y, sites, events, progress):
    """Log the activation of a site, and how long it has waited for it."""
    begun = progress.begun
    events.begun_at[begun] = now
    events.waited[begun] = now - sites.last[x, y]
    sites.last[x, y] = now
    progress.begun += 1


@part
def count_from(now, sites, progress):
    """Count the times of sites from now on, without completed events."""
    progress.completed = 0
    progress.now = progress.renewed = 0.0
    for x in range(sites.last.shape[0]):
        last = sites.last[x, :]
        for y in range(last.size):
            last[y] -= now


@part
def begin_event(now, x, y, tile, number, records, progress, seed, rule):
    """Begin an event at a site; return its direction."""
    _, sites, _, events, _ = records
    aside, _ = draw(progress, seed, DIRECTION)
    direction = activation_direction(sites.stress[tile, number], rule, aside)
    sites.active[x, y] = direction
    sites.inactive[tile, number] = 0.0
    n = progress.active
    events.active_x[n], events.active_y[n], events.active_since[n] = x, y, now
    progress.active += 1
    log_wait(now, x, y, sites, events, progress)
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
    _, second = draw(progress, seed, TIME)
    share = second * (ending + progress.bound)
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


@record_loop
def list_active(records, state):
    """List the sites that yield at time 0, and add them to all rates.

    The beginning of their events is unknown, -inf, as are all earlier activations.
    """
    medium, sites, tiles, events, _ = records
    progress = state[0]
    for x in range(medium.length):
        for y in range(medium.breadth):
            tile, number = tile_of(x, y, medium)
            direction = sites.active[x, y]
            sites.inactive[tile, number] = 1.0 if direction == 0 else 0.0
            if direction != 0:
                n = progress.active
                events.active_x[n], events.active_y[n], events.active_since[n] = x, y, -np.inf
                progress.active += 1
                change_rates(0.0, x, y, direction, 1.0, medium, tiles, progress)


@record_loop
def restart(now, records, state, seed, rule):
    """Count times from now on, with a stress of all sites that was computed for now.

    Bounds and the next candidate are drawn anew; the log of events is empty.
    """
    _, sites, tiles, events, _ = records
    progress = state[0]
    count_from(now, sites, progress)
    for n in range(progress.active):
        events.active_since[n] -= now
    for tile in range(sites.stress.shape[0]):
        tiles.time[tile] = tiles.fallen[tile] = tiles.risen[tile] = 0.0
        tiles.seen[tile] = 0
        evaluate(tile, records, rule)
    renew_bounds(0.0, records, progress, rule)
    progress.candidate += np.uint64(1)
    draw_next(0.0, progress, seed, rule)
