"""The few sites of a chunk that may switch: the rule is evaluated for these alone.

The draws of 32 sites are compared at once with a bound of Eq. (2) at the largest stress of the
inactive ones among them; those below it are compared with the bound at their own stress.
"""

from __future__ import annotations

import numpy as np

from epmpi.devices.cpu.compiler import compiled, randomness, rules
from epmpi.devices.cpu.sites.draws import CHUNK, drawn_site, place_of_draw
from epmpi.devices.cpu.sites.masks import (
    SITES,
    largest_inactive,
    list_bits,
    mask_at_most,
    mask_nonzero,
)

activation_bound = rules.activation_bound
LEADING_SCALE = randomness.LEADING_SCALE


@compiled
def limit_draws(stress, active, origin, limit, rule, time_step, limits):
    """Set the leading bits above which no inactive site of each 32 switches, at their stresses.

    The bound of Eq. (2) grows with the magnitude of the stress: it is taken at the largest of the
    inactive sites whose draws are side by side.

    Parameters
    ----------
    stress, active : arrays, shape (sites,)
    origin : int
        Index of the chunk's first site; where a part of the chunk is outside, the limit is `limit`.
    limit : uint64
        Leading bits above which no inactive site switches, whatever its stress.
    rule : rules.SwitchingRule
    time_step : float
    limits : float64 array, shape (CHUNK / 32,)
        Written.
    """
    if origin < 0 or origin + CHUNK > stress.size:
        limits[:] = float(limit)
        return
    for k in range(limits.size):
        limits[k] = largest_inactive(stress, active, origin + drawn_site(k * SITES))
    for k in range(limits.size):
        bound = activation_bound(limits[k], rule)
        limits[k] = min(bound * time_step / LEADING_SCALE, float(limit))


@compiled
def choose_inactive(draws, stress, active, origin, limits, rule, time_step, chosen):
    """List the inactive sites of a chunk that may switch, by thinning with a bound of Eq. (2).

    Parameters
    ----------
    draws : uint16 array, shape (CHUNK,)
        As `draw_blocks` leaves them.
    stress, active : arrays, shape (sites,)
    origin : int
        Index in these arrays of the chunk's first site; sites outside the arrays are passed over.
    limits : float64 array, shape (CHUNK / 32,)
        Of `limit_draws`.
    rule : rules.SwitchingRule
    time_step : float
    chosen : int64 array, shape (CHUNK + FEW,) or more
        Its beginning receives their indices.

    Returns
    -------
    int
        Their number.
    """
    listed = 0
    for first in range(0, CHUNK, SITES):
        mask = mask_at_most(draws, first, np.uint64(limits[first // SITES]))
        listed = list_bits(mask, first, chosen, listed)
    number = 0
    for at in chosen[:listed]:
        i = origin + drawn_site(at)
        if i < 0 or i >= stress.size or active[i] != 0:
            continue
        if draws[at] * LEADING_SCALE <= activation_bound(float(stress[i]), rule) * time_step:
            chosen[number] = i
            number += 1
    return number


@compiled
def strain_active(draws, plastic_strain, active, offset, strain_step, limit, chosen):
    """Strain the active sites of a run of sites of a chunk; list those that may switch.

    Parameters
    ----------
    draws : uint16 array, shape (CHUNK,)
        As `draw_blocks` leaves them.
    plastic_strain, active : arrays, shape (sites,)
        The first is updated in place.
    offset : int
        Number in the chunk of their first site.
    strain_step : float
        What an active site strains in a step.
    limit : uint64
        Leading bits above which no active site switches.
    chosen : int64 array, shape (sites + FEW,) or more
        Its beginning receives the indices in these arrays of those that may switch.

    Returns
    -------
    int
        Their number.
    """
    listed = 0
    size = active.size
    for first in range(0, size, SITES):
        start = max(min(first, size - SITES), 0)
        mask = np.uint64(0)
        if size >= SITES:
            mask = mask_nonzero(active, start) >> np.uint64(first - start)
        else:
            for i in range(size):
                mask |= np.uint64(active[i] != 0) << np.uint64(i)
        listed = list_bits(mask, first, chosen, listed)
    number = 0
    for i in chosen[:listed]:
        plastic_strain[i] += active[i] * strain_step
        if draws[place_of_draw(offset + i)] <= limit:
            chosen[number] = i
            number += 1
    return number
