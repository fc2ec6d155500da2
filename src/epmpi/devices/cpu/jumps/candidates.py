"""Instantaneous events of the exact clock, one after another.

Thermal: rates are constant between two events except for the drive, so this is kinetic Monte Carlo
whose rates are only bounded, by tiles: candidates come with the rate of the bounds, and one is an
event with the chance of the true rate over the bound (thinning, as in `thinning.candidates`).
Extremal: the weakest site of all is next, found from bounds of how weak the weakest site of each
tile may be; the events come at the attempt rate, one after another.
"""

from __future__ import annotations

import math

import numpy as np

from epmpi.devices.cpu.compiler import compile_module, part, record_loop
from epmpi.devices.cpu.jumps.bounds import load_until, renew_bound_of, renew_bounds, spread
from epmpi.devices.cpu.jumps.tiles import BEYOND, add_jumps, evaluate, take_note, update_tile
from epmpi.devices.cpu.thinning.candidates import TIME, count_from, draw, draw_next, log_wait
from epmpi.devices.cpu.thinning.lanes import choose, largest_of
from epmpi.devices.cpu.thinning.tiles import choose_site, rules, site_of
from epmpi.devices.thinning import FULL, LONGEST, REACHED
from epmpi.physics import jumps as plain_jumps

activation_direction = rules.activation_direction
activation_rate = rules.activation_rate
with_barrier = rules.with_barrier

physics = compile_module(plain_jumps)
draw_residual = physics.draw_residual
draw_threshold = physics.draw_threshold
EXTREMAL = physics.EXTREMAL

RESIDUAL, THRESHOLD, ANGLE = np.uint64(1), np.uint64(2), np.uint64(3)  # blocks of draws, as `TIME`


@record_loop
def draw_thresholds(first, second, jump, threshold):
    """Set the thresholds of sites from two uniforms of each; arrays of shape (sites,)."""
    for n in range(threshold.size):
        threshold[n] = draw_threshold(jump, first[n], second[n])


@part
def set_next(now, progress, seed, rule, jump):
    """Set the time of the next event of the extremal driver, or as `draw_next` does."""
    if jump.driver == EXTREMAL:
        progress.next = now + 1.0 / rule.attempt_rate
    else:
        draw_next(now, progress, seed, rule)


@part
def jump_site(now, tile, number, records, progress, seed, rule, jump, orientation):
    """Make a site of an updated tile yield; the bounds of all tiles must be renewed afterwards.

    Its stress becomes what is drawn; every other one changes by G times its drop, with
    G(r = 0) = -1: the plastic strain of the event is such that the response to it is the drop.
    """
    medium, sites, tiles, events, _ = records
    x, y = site_of(tile, number, medium)
    stress, old = sites.stress[tile, number], sites.threshold[tile, number]
    first, second = draw(progress, seed, THRESHOLD)
    threshold = draw_threshold(jump, first, second)
    first, second = draw(progress, seed, RESIDUAL)
    sign = activation_direction(stress, rule, second)
    left = draw_residual(sign, threshold, jump, first, second)
    cosine, sine, own = 1.0, 0.0, medium.kernel[0, 0]
    if jump.oriented:
        first, _ = draw(progress, seed, ANGLE)
        angle = 2.0 * math.pi * first
        cosine, sine = math.cos(angle), math.sin(angle)
        own = orientation.own + cosine * own + sine * orientation.sine.kernel[0, 0]
    amount = (left - stress) / own
    n = progress.completed
    events.x[n], events.y[n], events.direction[n], events.start[n] = x, y, sign, now
    events.amount[n], events.cosine[n], events.sine[n] = amount, cosine, sine
    events.distance[n], events.drop[n] = old - abs(stress), sign * (stress - left)
    progress.completed += 1
    log_wait(now, x, y, sites, events, progress)
    spread(x, y, amount * cosine, medium, tiles)
    if jump.oriented:
        spread(x, y, amount * sine, orientation.sine, tiles)
        progress.load += amount * orientation.far
    add_jumps(tile, records, progress, jump, orientation)  # it lacks this event alone
    sites.stress[tile, number] = left
    sites.threshold[tile, number] = threshold
    evaluate(tile, records, rule, jump)


@part
def take_candidate(now, records, progress, seed, rule, jump, orientation):
    """Carry out an event, or refuse the candidate; renew the bounds that this changes."""
    medium, sites, tiles, _, scratch = records
    load_until(now, medium, progress)
    _, second = draw(progress, seed, TIME)
    tile, share = choose(
        second * progress.bound, tiles.bound, 0, tiles.bound.size, scratch.bound_sums
    )
    update_tile(tile, records, progress, rule, jump, orientation)
    progress.violated += tiles.total[tile] > tiles.bound[tile]
    if share < tiles.total[tile]:
        _, _, number, share = choose_site(share, tile, medium, scratch)
        there = with_barrier(rule, sites.threshold[tile, number], rule.exponent)
        if share < activation_rate(sites.stress[tile, number], there):
            jump_site(now, tile, number, records, progress, seed, rule, jump, orientation)
            renew_bounds(now, records, progress, rule, jump)
            return
    progress.refused += 1
    renew_bound_of(tile, now, records, progress, rule, jump)


@part
def take_weakest(now, records, progress, seed, rule, jump, orientation):
    """Make the weakest of all sites yield; of equal ones the first of the first tile."""
    _, _, tiles, _, scratch = records
    while True:
        top = largest_of(tiles.bound, 0, tiles.bound.size, scratch.maxima)
        tile = 0
        while tiles.bound[tile] != top:
            tile += 1
        seen = tiles.seen[tile] == progress.completed and tiles.bound[tile] == tiles.total[tile]
        update_tile(tile, records, progress, rule, jump, orientation)
        progress.violated += tiles.total[tile] > top
        if seen:
            break
        progress.refused += 1
        renew_bound_of(tile, now, records, progress, rule, jump)
    number = 0
    while scratch.size[number] != top:
        number += 1
    jump_site(now, tile, number, records, progress, seed, rule, jump, orientation)
    renew_bounds(now, records, progress, rule, jump)


@record_loop
def follow(until, stop, records, state, seed, rule, jump, orientation):
    """Follow all events up to a time, or until so many have happened since the last flush.

    As `thinning.follow`, with JumpRecords, one JUMP_PROGRESS, a JumpRule and an Orientation.
    """
    progress = state[0]
    while progress.completed < stop:
        if progress.next > until:
            return REACHED
        now = progress.now = progress.next
        if jump.driver == EXTREMAL:
            take_weakest(now, records, progress, seed, rule, jump, orientation)
        elif now >= progress.horizon:
            renew_bounds(now, records, progress, rule, jump)
        else:
            take_candidate(now, records, progress, seed, rule, jump, orientation)
        progress.candidate += np.uint64(1)
        set_next(now, progress, seed, rule, jump)
        if now > LONGEST:
            return FULL
    return FULL


@record_loop
def restart(now, records, state, seed, rule, jump, orientation):
    """Count times from now on, with a stress of all sites that was computed for now.

    Bounds and the next candidate are drawn anew; the log of events is empty.
    """
    sites, tiles = records.sites, records.tiles
    progress = state[0]
    waited = progress.next - now  # of the extremal driver, which a flush does not touch
    count_from(now, sites, progress)
    progress.load = 0.0
    for tile in range(tiles.total.size):
        tiles.total[tile] = BEYOND if jump.driver == EXTREMAL else 0.0
        take_note(tile, records, progress)
    for tile in range(sites.stress.shape[0]):
        evaluate(tile, records, rule, jump)
    renew_bounds(0.0, records, progress, rule, jump)
    progress.candidate += np.uint64(1)
    if jump.driver == EXTREMAL and now > 0.0:
        progress.next = waited
    else:
        set_next(0.0, progress, seed, rule, jump)
