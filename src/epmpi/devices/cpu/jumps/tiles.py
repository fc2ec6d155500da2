"""A tile of sites that yield at once: update of its stress, sum of its rates."""

from __future__ import annotations

from epmpi.devices.cpu.compiler import called_loop, part
from epmpi.devices.cpu.thinning.lanes import largest_of
from epmpi.devices.cpu.thinning.tiles import add_overlap, add_responses, rules, sum_up
from epmpi.physics.jumps import EXTREMAL

with_barrier = rules.with_barrier
exposure = rules.exposure
rate_ceiling = rules.rate_ceiling

BEYOND = -1e300  # |sigma| - sigma_Y of what is no site


@part
def list_jumps(tile, factor, records, progress):
    """List the events whose response a tile lacks, times a factor of each; return their number."""
    medium, _, tiles, events, scratch = records
    a = tile // medium.along_y
    x0, y0 = a * medium.width, (tile - a * medium.along_y) * medium.width
    count = 0
    for n in range(tiles.seen[tile], progress.completed):
        x, y, amount = events.x[n], events.y[n], events.amount[n] * factor[n]
        count = add_overlap(x, y, amount, x0, y0, count, medium, scratch)
    return count


@part
def rate_tile(tile, records, rule):
    """Set the total rate of a tile and what bounds it; the rate of each site is in `scratch`."""
    _, sites, tiles, _, scratch = records
    stress, threshold = sites.stress[tile, :], sites.threshold[tile, :]
    inside = sites.inside[tile, :]
    rate, size = scratch.rate, scratch.size
    if rule.exponent > 0.0:
        for n in range(stress.size):
            there = with_barrier(rule, threshold[n], rule.exponent)
            rate[n] = rate_ceiling(stress[n], there) * inside[n]
            size[n] = exposure(stress[n], there) * inside[n]
    else:  # a loop of its own, which the compiler sees to need no powers
        for n in range(stress.size):
            there = with_barrier(rule, threshold[n], 0.0)
            rate[n] = rate_ceiling(stress[n], there) * inside[n]
            size[n] = exposure(stress[n], there) * inside[n]
    sum_up(tile, tiles, scratch, rule)


@part
def weigh_tile(tile, records):
    """Set the largest ``|sigma| - sigma_Y`` of a tile, that of its weakest site."""
    _, sites, tiles, _, scratch = records
    stress, threshold = sites.stress[tile, :], sites.threshold[tile, :]
    inside = sites.inside[tile, :]
    size = scratch.size
    for n in range(stress.size):
        size[n] = abs(stress[n]) - threshold[n] if inside[n] > 0.0 else BEYOND
    tiles.total[tile] = largest_of(size, 0, size.size, scratch.maxima)


@called_loop
def evaluate(tile, records, rule, jump):
    """Set the total and the bounds of a tile from its present stress."""
    if jump.driver == EXTREMAL:
        weigh_tile(tile, records)
    else:
        rate_tile(tile, records, rule)


@called_loop
def add_jumps(tile, records, progress, jump, orientation):
    """Update the stress of a tile.

    ``sigma += load since then + sum over the events since then of G amount``.
    """
    _, sites, tiles, events, scratch = records
    loaded = progress.load - tiles.load[tile]
    if loaded != 0.0:
        stress = sites.stress[tile, :]
        for n in range(stress.size):
            stress[n] += loaded
    count = list_jumps(tile, events.cosine, records, progress)
    if count > 0:
        add_responses(tile, count, records)
        if jump.oriented:
            list_jumps(tile, events.sine, records, progress)
            add_responses(tile, count, (orientation.sine, sites, tiles, events, scratch))
    take_note(tile, records, progress)


@called_loop
def update_tile(tile, records, progress, rule, jump, orientation):
    """Update the stress of a tile, and its total and bounds."""
    add_jumps(tile, records, progress, jump, orientation)
    evaluate(tile, records, rule, jump)


@part
def take_note(tile, records, progress):
    """Record that a tile has all events so far."""
    tiles = records.tiles
    tiles.seen[tile] = progress.completed
    tiles.load[tile] = progress.load
    tiles.fallen[tile] = tiles.risen[tile] = 0.0
