"""A tile of sites: update of its stress, sum of its rates, choice of a site."""

from __future__ import annotations

from epmpi.devices.cpu.compiler import called_loop, compile_module, part
from epmpi.devices.cpu.thinning.elementary import exponential, logarithm
from epmpi.devices.cpu.thinning.lanes import (
    LANES,
    choose,
    largest_of,
    sum_lanes,
)
from epmpi.devices.cpu.vector_memory import load_reals, store_reals
from epmpi.devices.cpu.vectors import multiply_add
from epmpi.physics import rules as plain_rules

rules = compile_module(plain_rules, exp=exponential, log=logarithm)
exposure = rules.exposure
rate_ceiling = rules.rate_ceiling
steepness = rules.steepness
with_barrier = rules.with_barrier


@part
def tile_of(x, y, medium):
    """Return the number of the tile that a site is in, and the site's number within the tile."""
    width = medium.width
    a, b = x // width, y // width
    return a * medium.along_y + b, (x - a * width) * width + y - b * width


@part
def site_of(tile, number, medium):
    """Return the site (x, y) that has a number within a tile."""
    width = medium.width
    a, i = tile // medium.along_y, number // width
    return a * width + i, (tile - a * medium.along_y) * width + number - i * width


@part
def add_overlap(x, y, amount, x0, y0, count, medium, scratch):
    """List a response to be added to the tile that begins at (x0, y0); return the number listed.

    It is that to a site (x, y) which has yielded for a time `amount`, times its direction.
    """
    row, column = x0 - x, y0 - y
    row += medium.length if row < 0 else 0
    column += medium.breadth if column < 0 else 0
    scratch.origin[count] = row * medium.pitch + column
    scratch.amount[count] = amount
    return count + 1


@part
def list_overlaps(now, tile, records, progress):
    """List the sites that have strained since a tile was updated last; return their number."""
    medium, sites, tiles, events, scratch = records
    a = tile // medium.along_y
    x0, y0 = a * medium.width, (tile - a * medium.along_y) * medium.width
    then, count = tiles.time[tile], 0
    for n in range(tiles.seen[tile], progress.completed):
        # Of one that had begun before, what came after counts; of one that went on, all but that.
        overlap = events.end[n] - max(events.start[n], then)
        if overlap > 0.0:
            amount = events.direction[n] * overlap
            count = add_overlap(events.x[n], events.y[n], amount, x0, y0, count, medium, scratch)
    for n in range(progress.active):
        x, y = events.active_x[n], events.active_y[n]
        overlap = now - max(events.active_since[n], then)
        if overlap > 0.0:
            amount = sites.active[x, y] * overlap
            count = add_overlap(x, y, amount, x0, y0, count, medium, scratch)
    return count


@part
def add_responses(tile, count, records):
    """Add the listed responses to the stress of a tile.

    Four times eight sites, consecutive in the tile, stay in registers while all entries are added
    to them.  In the kernel they are neighbours as far as the tile is wide.
    """
    medium, sites, _, _, scratch = records
    width, pitch, kernel = medium.width, medium.pitch, medium.kernel
    stress, first = sites.stress, tile * width * width
    second = in_kernel(LANES, width, pitch)
    third = in_kernel(2 * LANES, width, pitch)
    fourth = in_kernel(3 * LANES, width, pitch)
    for group in range(0, width * width, 4 * LANES):
        at, begin = first + group, in_kernel(group, width, pitch)
        sites0, sites1 = load_reals(stress, at), load_reals(stress, at + LANES)
        sites2, sites3 = load_reals(stress, at + 2 * LANES), load_reals(stress, at + 3 * LANES)
        for n in range(count):
            k, amount = scratch.origin[n] + begin, scratch.amount[n]
            sites0 = multiply_add(load_reals(kernel, k), amount, sites0)
            sites1 = multiply_add(load_reals(kernel, k + second), amount, sites1)
            sites2 = multiply_add(load_reals(kernel, k + third), amount, sites2)
            sites3 = multiply_add(load_reals(kernel, k + fourth), amount, sites3)
        store_reals(stress, at, sites0)
        store_reals(stress, at + LANES, sites1)
        store_reals(stress, at + 2 * LANES, sites2)
        store_reals(stress, at + 3 * LANES, sites3)


@part
def in_kernel(number, width, pitch):
    """Return the offset of a site from the first one of its tile, in the memory of the kernel."""
    return number // width * pitch + number % width


@part
def evaluate(tile, records, rule):
    """Set the total rate of a tile and what bounds it, from its present stress.

    The rate of each site is left in `scratch`.
    """
    _, sites, tiles, _, scratch = records
    stress, inactive = sites.stress[tile, :], sites.inactive[tile, :]
    rate, size = scratch.rate, scratch.size
    if rule.exponent > 0.0:
        for n in range(stress.size):
            rate[n] = rate_ceiling(stress[n], rule) * inactive[n]
            size[n] = exposure(stress[n], rule) * inactive[n]
    else:  # a loop of its own, which the compiler sees to need no powers
        of_eq_2 = with_barrier(rule, rule.yield_stress, 0.0)
        for n in range(stress.size):
            rate[n] = rate_ceiling(stress[n], of_eq_2) * inactive[n]
            size[n] = exposure(stress[n], of_eq_2) * inactive[n]
    sum_up(tile, tiles, scratch, rule)


@part
def sum_up(tile, tiles, scratch, rule):
    """Set the total rate of a tile and its steepest barrier from those of its sites."""
    rate, size = scratch.rate, scratch.size
    tiles.total[tile] = sum_lanes(rate, 0, rate.size, scratch.rate_sums)
    tiles.largest[tile] = steepness(largest_of(size, 0, size.size, scratch.maxima), rule)


@part
def leave_out(number, tile, tiles, scratch, rule):
    """Take a site that begins to yield out of the tile that was evaluated just now."""
    scratch.rate[number] = scratch.size[number] = 0.0
    sum_up(tile, tiles, scratch, rule)


@called_loop
def update_tile(now, tile, records, progress, rule):
    """Bring the stress of a tile up to date, and set its total rate and what bounds it.

    Eq. (1), integrated exactly: ``sigma += drive (now - then) + sum over events of direction G
    (time for which they yielded since then)``.
    """
    medium, sites, tiles, _, _ = records
    if medium.drive != 0.0:
        stress, loaded = sites.stress[tile, :], medium.drive * (now - tiles.time[tile])
        for n in range(stress.size):
            stress[n] += loaded
    count = list_overlaps(now, tile, records, progress)
    if count > 0:
        add_responses(tile, count, records)
    tiles.time[tile] = now
    tiles.seen[tile] = progress.completed
    evaluate(tile, records, rule)


@part
def choose_site(share, tile, medium, scratch):
    """Return the site (x, y) of the tile evaluated last that a share of its total rate falls on.

    Also its number in the tile, and what is left of the share, of [0, rate of the site).
    """
    number, share = choose(share, scratch.rate, 0, scratch.rate.size, scratch.rate_sums)
    x, y = site_of(tile, number, medium)
    return x, y, number, share
