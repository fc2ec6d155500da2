"""Bounds of the activation rate of each tile, which hold up to a horizon.

No inactive site of a tile has changed its stress by less than ``fallen`` or by more than ``risen``
since the tile was seen, and none does so now at a rate outside of [falling, rising].  So until the
horizon, a time h from now, no |sigma| is larger than then by more than

    d = max(0, risen, risen + rising h, -fallen, -fallen - falling h),

and the total rate of the tile is at most ``total exp(barrier_fall(steepest, d))``, and at most that
of as many sites at the highest rate.  A relative 1e-9 covers rounding.
"""

from __future__ import annotations

import numpy as np

from epmpi.devices.cpu.compiler import called_loop, part
from epmpi.devices.cpu.thinning.elementary import exponential
from epmpi.devices.cpu.thinning.lanes import sum_lanes
from epmpi.devices.cpu.thinning.tiles import rules

barrier_fall = rules.barrier_fall
highest_rate = rules.highest_rate

SLACK = 1e-9
REACH = 2.0  # candidates and ends of events, about, that come before a horizon
DRIVE_REACH = 0.1  # barriers at the threshold fall by about so much of T until a horizon


@part
def larger(first, second):
    """Return the larger of two numbers, in a form that is vectorised."""
    return first if first > second else second


@part
def rate_bound(total, steepest, fallen, risen, falling, rising, most, time, rule):
    """Return the bound of the rate of a tile over a time."""
    up = larger(risen, risen + rising * time)
    down = larger(-fallen, -fallen - falling * time)
    fall = barrier_fall(steepest, larger(0.0, larger(up, down)), rule)
    # total / exp(-fall), the exponential of a number that is not positive.
    bound = total / exponential(-fall)
    return (bound if bound < most else most) * (1.0 + SLACK)


@part
def advance_changes(now, medium, tiles, progress):
    """Advance the bounds of the changes to a time, at the rates that hold until then."""
    elapsed, drive = now - progress.renewed, medium.drive
    if elapsed > 0.0:
        for n in range(tiles.bound.size):
            tiles.fallen[n] += (tiles.falling[n] + drive) * elapsed
            tiles.risen[n] += (tiles.rising[n] + drive) * elapsed
    progress.renewed = now


@part
def add_response_bounds(x, y, direction, change, medium, low, high):
    """Add the smallest and largest response in each tile to `low` and `high`, (tiles,).

    The response is that to a site (x, y) which yields in a direction, times `change`.
    """
    width, along_x, along_y = medium.width, medium.along_x, medium.along_y
    a, b = x // width, y // width
    i, j, left = x - a * width, y - b * width, along_y - 1 - b
    for n in range(along_x):
        lowest = medium.lowest[i, j, n - a + along_x - 1, left : left + along_y]
        highest = medium.highest[i, j, n - a + along_x - 1, left : left + along_y]
        low_row = low[n * along_y : (n + 1) * along_y]
        high_row = high[n * along_y : (n + 1) * along_y]
        if direction > 0:
            for m in range(low_row.size):
                low_row[m] += change * lowest[m]
                high_row[m] += change * highest[m]
        else:
            for m in range(low_row.size):
                low_row[m] -= change * highest[m]
                high_row[m] -= change * lowest[m]


@called_loop
def change_rates(now, x, y, direction, change, medium, tiles, progress):
    """Add the stress rate of a site that begins to yield to all tiles, or subtract it at the end.

    Until now their stress has changed at the rates before.

    Parameters
    ----------
    now : float
    x, y : int
        The site.
    direction : int
        Of its event.
    change : float
        1 where the event begins, -1 where it ends.
    """
    advance_changes(now, medium, tiles, progress)
    add_response_bounds(x, y, direction, change, medium, tiles.falling, tiles.rising)


@part
def time_to_horizon(active, bound, drive, rule):
    """Return the time for which new bounds hold; 0 for ever, if no stress changes.

    Any time is exact; it decides how often bounds are renewed and how many candidates are refused.
    """
    time = REACH / (active + min(bound, 2.0 * active)) if active > 0 else 0.0
    if drive != 0.0:
        limit = DRIVE_REACH * rule.temperature / (rule.yield_stress * abs(drive))
        time = min(time, limit) if active > 0 else limit
    return time


@called_loop
def renew_bounds(now, records, progress, rule):
    """Renew the bounds of all tiles at a time, and set a new horizon."""
    medium, _, tiles, _, scratch = records
    advance_changes(now, medium, tiles, progress)
    drive = medium.drive
    time = time_to_horizon(progress.active, progress.bound, drive, rule)
    most = medium.width * medium.width * highest_rate(rule)
    for n in range(tiles.bound.size):
        tiles.bound[n] = rate_bound(
            tiles.total[n], tiles.largest[n], tiles.fallen[n], tiles.risen[n],
            tiles.falling[n] + drive, tiles.rising[n] + drive, most, time, rule,
        )  # fmt: skip
    progress.bound = sum_lanes(tiles.bound, 0, tiles.bound.size, scratch.bound_sums)
    progress.horizon = now + time if time > 0.0 else np.inf


@called_loop
def renew_bound_of(tile, now, records, progress, rule):
    """Renew the bound of one tile that has been seen now, up to the same horizon."""
    medium, _, tiles, _, scratch = records
    falling, rising = tiles.falling[tile] + medium.drive, tiles.rising[tile] + medium.drive
    since = now - progress.renewed
    # Changes are counted from the last renewal on: what came before now is none.
    tiles.fallen[tile] = -falling * since
    tiles.risen[tile] = -rising * since
    left = progress.horizon - now if progress.horizon < np.inf else 0.0
    most = medium.width * medium.width * highest_rate(rule)
    tiles.bound[tile] = rate_bound(
        tiles.total[tile], tiles.largest[tile], 0.0, 0.0, falling, rising, most, left, rule
    )
    progress.bound = sum_lanes(tiles.bound, 0, tiles.bound.size, scratch.bound_sums)
