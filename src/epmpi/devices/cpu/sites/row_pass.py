"""The row passes of a step, each in one loop: W rows at a time, which stay in the first caches.

The pass over the sites takes their stress rates from the response's spectra, advances and switches
them, and puts their new n s into the source's spectra; neither field is ever stored.
"""

from __future__ import annotations

import numpy as np

from epmpi.devices.cpu.compiler import compiled
from epmpi.devices.cpu.fourier.real_lines import restore_rows, transform_rows
from epmpi.devices.cpu.sites.advance import advance_sites
from epmpi.devices.cpu.vector_memory import lanes


@compiled
def advance_rows(
    responses,
    sources,
    strip,
    work,
    plan,
    stress,
    plastic_strain,
    active,
    seed,
    step,
    first_site,
    rule,
    increments,
    begun,
):
    """Advance all rows of a slab by one step; see `advance.advance_sites`.

    Parameters
    ----------
    responses, sources : complex array, shape (rows, Ly // 2 + 1)
        Spectra of the stress rate, and of the new n s, written.  They may be the same.
    strip : float array, shape (W, Ly)
        For the fields of W rows.
    work, plan
        See `real_lines.transform_rows`.
    stress, plastic_strain, active : arrays, shape (rows, Ly)
    seed, step, first_site, rule, increments, begun
        As of `advance_sites`, for the first site of the slab.

    Returns
    -------
    int
        Number of events that began.
    """
    height, width = strip.shape
    rows = stress.shape[0]
    events = 0
    top = np.int64(0)  # of a strip; for a literal Numba would compile the transforms again
    for row in range(0, rows, lanes(work)):
        end = min(row + height, rows)
        field = strip[: end - row]
        restore_rows(responses[row:end], top, field, top, work, plan)
        first = row * width
        flat = field.reshape(-1)
        began = advance_sites(
            stress[row:end].reshape(-1), plastic_strain[row:end].reshape(-1),
            active[row:end].reshape(-1), flat, flat, seed, step,
            first_site + np.uint64(first), rule, increments, begun[events:],
        )  # fmt: skip
        if begun.size:
            for n in range(events, events + began):  # as in `advance_sites`
                begun[n] += first
        events += began
        transform_rows(field, top, sources[row:end], top, work, plan)
    return events


@compiled
def transform_increments(now, before, sources, strip, work, plan):
    """Transform the rows of `now - before`, rounded once, and copy `now` to `before`.

    Parameters
    ----------
    now, before : float64 array, shape (rows, Ly)
    sources : complex array, shape (rows, Ly // 2 + 1)
        Written.
    strip, work, plan
        As of `advance_rows`.
    """
    height, rows = strip.shape[0], now.shape[0]
    top = np.int64(0)  # see `advance_rows`
    for row in range(0, rows, lanes(work)):
        end = min(row + height, rows)
        field = strip[: end - row]
        flat, new, old = field.reshape(-1), now[row:end].reshape(-1), before[row:end].reshape(-1)
        for i in range(flat.size):
            flat[i] = new[i] - old[i]
            old[i] = new[i]
        transform_rows(field, top, sources[row:end], top, work, plan)
