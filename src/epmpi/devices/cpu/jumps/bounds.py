"""Bounds over tiles of sites that yield at once; see `thinning.bounds`.

Stress changes only at events and by the drive.  No stress in a tile has changed since its update by
less than ``fallen + load`` or by more than ``risen + load``, with the load since then.
"""

from __future__ import annotations

import numpy as np

from epmpi.devices.cpu.compiler import called_loop, part
from epmpi.devices.cpu.thinning.bounds import (
    add_response_bounds,
    highest_rate,
    larger,
    rate_bound,
    time_to_horizon,
)
from epmpi.devices.cpu.thinning.lanes import sum_lanes
from epmpi.physics.jumps import EXTREMAL

ROUNDING = 1e-13  # of what a site is weaker than another, beyond which they are compared


@called_loop
def spread(x, y, amount, medium, tiles):
    """Add the response to an event to the bounds of the change of stress of all tiles."""
    direction = 1 if amount > 0.0 else -1
    add_response_bounds(x, y, direction, abs(amount), medium, tiles.fallen, tiles.risen)


@part
def load_until(now, medium, progress):
    """Advance the load of all sites by the drive to a time."""
    progress.load += medium.drive * (now - progress.renewed)
    progress.renewed = now


@part
def bound_of(tile, time, records, progress, rule, jump):
    """Return the bound of a tile for a time from now on."""
    medium, _, tiles, _, _ = records
    load, drive = progress.load - tiles.load[tile], medium.drive
    fallen, risen = tiles.fallen[tile] + load, tiles.risen[tile] + load
    most = medium.width * medium.width * highest_rate(rule)
    return rate_bound(
        tiles.total[tile], tiles.largest[tile], fallen, risen, drive, drive, most, time, rule
    )


@called_loop
def renew_bounds(now, records, progress, rule, jump):
    """Renew the bounds of all tiles at a time, and set a new horizon."""
    medium, _, tiles, _, scratch = records
    load_until(now, medium, progress)
    if jump.driver == EXTREMAL:
        for n in range(tiles.bound.size):
            change = larger(tiles.risen[n], -tiles.fallen[n])
            tiles.bound[n] = tiles.total[n] + (
                change + ROUNDING * (tiles.seen[n] < progress.completed)
            )
        return
    time = time_to_horizon(0, 0.0, medium.drive, rule)
    for n in range(tiles.bound.size):
        tiles.bound[n] = bound_of(n, time, records, progress, rule, jump)
    progress.bound = sum_lanes(tiles.bound, 0, tiles.bound.size, scratch.bound_sums)
    progress.horizon = now + time if time > 0.0 else np.inf


@called_loop
def renew_bound_of(tile, now, records, progress, rule, jump):
    """Renew the bound of one tile that has been seen now, up to the same horizon."""
    tiles, scratch = records.tiles, records.scratch
    if jump.driver == EXTREMAL:
        tiles.bound[tile] = tiles.total[tile]
        return
    left = progress.horizon - now if progress.horizon < np.inf else 0.0
    tiles.bound[tile] = bound_of(tile, left, records, progress, rule, jump)
    progress.bound = sum_lanes(tiles.bound, 0, tiles.bound.size, scratch.bound_sums)
