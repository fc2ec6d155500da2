"""Start of the exact clock, and its continuation from a newly computed stress."""

from __future__ import annotations

import numpy as np

from epmpi.devices.cpu.compiler import record_loop
from epmpi.devices.cpu.thinning.bounds import change_rates, renew_bounds
from epmpi.devices.cpu.thinning.candidates import draw_next
from epmpi.devices.cpu.thinning.tiles import evaluate, tile_of


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
    medium, sites, tiles, events, _ = records
    progress = state[0]
    progress.completed = 0
    progress.now = progress.renewed = 0.0
    for n in range(progress.active):
        events.active_since[n] -= now
    for x in range(medium.length):
        last = sites.last[x, :]
        for y in range(last.size):
            last[y] -= now
    for tile in range(sites.stress.shape[0]):
        tiles.time[tile] = tiles.fallen[tile] = tiles.risen[tile] = 0.0
        tiles.seen[tile] = 0
        evaluate(tile, records, rule)
    renew_bounds(0.0, records, progress, rule)
    progress.candidate += np.uint64(1)
    draw_next(0.0, progress, seed, rule)
