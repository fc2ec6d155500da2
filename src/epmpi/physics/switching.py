"""One site in one step: whether it switches, by Eq. (2) and its draw.

Plain functions, as those of `rules`.  Most sites are spared the rule itself: the leading bits of
their draw are above a bound.
"""

from __future__ import annotations

import numpy as np

from epmpi.physics import randomness
from epmpi.physics.randomness import LEADING_MASK, LEADING_SCALE, complete_uniform, uniform
from epmpi.physics.rules import (
    activation_bound,
    activation_direction,
    activation_rate,
    release_bound,
    switching_probabilities,
)

SWITCHING = np.uint64(randomness.SWITCHING)
DIRECTION = np.uint64(randomness.DIRECTION)


def switch_site(active, stress, leading, site, seed, step, rule, time_step):
    """Return n s of a site after one step, and whether a new event began.

    Parameters
    ----------
    active : int8
        n s before: 0, +1 or -1.
    stress : float
        Of the site, after it has advanced.
    leading : uint64
        The leading bits of its draw; see `randomness`.
    site, seed, step : uint64
        Index of the site in the lattice, seed of the run, number of the step.
    rule : SwitchingRule
    time_step : float
        In units of tau.

    Returns
    -------
    (int8, bool)
    """
    rate_on = activation_rate(stress, rule)
    activated, deactivated, renewed = switching_probabilities(rate_on, rule.rate_off, time_step)
    changes = deactivated + renewed if active != 0 else activated
    if leading * LEADING_SCALE >= changes:
        return active, False
    draw = complete_uniform(leading, seed, SWITCHING, step, site)
    if draw >= changes:
        return active, False
    if active != 0 and draw < deactivated:
        return np.int8(0), False
    aside = uniform(seed, DIRECTION, step, site)
    return np.int8(activation_direction(stress, rule, aside)), True


def draw_limits(rule, time_step):
    """Return the leading bits above which no inactive, and no active site switches.

    P01 <= p_on dt, at the highest rate there is; an active site stays with the probability
    exp(-p_off dt) at any stress.

    Parameters
    ----------
    rule : SwitchingRule
    time_step : float
        In units of tau.

    Returns
    -------
    (uint64, uint64)
    """
    highest = activation_bound(rule.yield_stress, rule)
    inactive = min(highest * time_step, 1.0) / LEADING_SCALE
    active = min(release_bound(rule.rate_off, time_step), 1.0) / LEADING_SCALE
    return min(np.uint64(inactive), LEADING_MASK), min(np.uint64(active), LEADING_MASK)
