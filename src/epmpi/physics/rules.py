"""The scalar physics of one site, written once for every compiler.

Eq. (2) of Ferrero, Martens and Barrat, PRL 113, 248301 (2014), in its selectable readings, and the
exact two-state step at frozen stress.  Plain functions of numbers, without arrays: the devices
compile them for CPU loops and for CUDA kernels.
"""

from __future__ import annotations

from math import exp, expm1, log, sqrt
from typing import NamedTuple

# Readings of Eq. (2): the activation of a site, and its direction.
STRESS = 0  # thermal; the sign of the local stress (the literal Eq. 2)
EITHER = 1  # thermal; total rate of Eq. 2, below the threshold both directions equally likely
BOTH = 2  # thermal; attempts at both thresholds, each at the rate of Eq. 2
RANDOM = 3  # the random model: a constant rate, both directions equally likely

# By model.direction of the thermal model, else by model.activation.
READINGS = {
    "stress": STRESS,
    "either": EITHER,
    "both": BOTH,
    "random": RANDOM,
}

# Below this stress (in units of the yield stress) the sign is due to rounding: it is drawn instead.
UNSIGNED_STRESS = 1e-12
SMALLEST = 1e-300  # smaller distances from the threshold count as 0


class SwitchingRule(NamedTuple):
    """Parameters of Eq. (2), as compiled loops and kernels take them.

    Attributes
    ----------
    reading : int
        STRESS, EITHER, BOTH or RANDOM.
    attempt_rate : float
        Gamma0, per unit of time; p_on itself for `RANDOM`.
    yield_stress : float
        sigma_Y.
    temperature : float
        T, in units of a stress squared.
    rate_off : float
        p_off = 1 / tau_res.
    exponent : float
        alpha of the barrier ``(sigma_Y - |sigma|)^alpha``; 0 for that of Eq. (2).
    """

    reading: int
    attempt_rate: float
    yield_stress: float
    temperature: float
    rate_off: float
    exponent: float = 0.0


def with_barrier(rule, yield_stress, exponent):
    """Return a rule with another threshold, and an exponent that may be a compile-time constant."""
    return SwitchingRule(
        rule.reading, rule.attempt_rate, yield_stress, rule.temperature, rule.rate_off, exponent
    )


class Increments(NamedTuple):
    """Increments of a time step.

    Attributes
    ----------
    time : float
        dt.
    stress : float
        ``mu gdot dt``, added to the stress of every site.
    strain : float
        ``eps0 dt / (2 tau)``, added to the plastic strain of an active site, times its direction.
    """

    time: float
    stress: float
    strain: float


def barrier_height(stress, rule):
    """Return the height of the barrier of an activation, and the unit of that: p_on ~ exp(-h / u).

    ``sigma_Y^2 - sigma^2`` and ``2 T`` of Eq. (2), or ``(sigma_Y - |sigma|)^alpha`` and T; 0 or
    negative at and above the threshold, and 0 for `RANDOM`.  `activation_bound` requires that it
    does not increase with |sigma|.
    """
    if rule.reading == RANDOM:
        return 0.0, 1.0
    if rule.exponent > 0.0:
        return power(rule.yield_stress - abs(stress), rule.exponent), rule.temperature
    return rule.yield_stress * rule.yield_stress - stress * stress, 2.0 * rule.temperature


def barrier(stress, rule):
    """Return the barrier of an activation in units of T, at least 0: p_on ~ exp(-barrier)."""
    height, unit = barrier_height(stress, rule)
    height = height / unit
    return 0.0 if height < 0.0 else height  # Numba does not compile max() for CUDA


def stress_at(height, rule):
    """Return the |sigma| at which the barrier has a given height; 0 if it is always lower."""
    if rule.exponent > 0.0:
        below = power(height * rule.temperature, 1.0 / rule.exponent)
        return rule.yield_stress - below if below < rule.yield_stress else 0.0
    square = rule.yield_stress * rule.yield_stress - 2.0 * rule.temperature * height
    return sqrt(square) if square > 0.0 else 0.0


def power(base, exponent):
    """Return ``base^exponent`` for an exponent > 0; 0 for a base below `SMALLEST`."""
    known = base if base > SMALLEST else 1.0
    result = exp(exponent * log(known))
    return result if base > SMALLEST else 0.0


def activation_rate(stress, rule):
    """Return p_on of Eq. (2), the rate 0 -> 1, summed over both directions.

    ``p_on = Gamma0 min[exp((sigma^2 - sigma_Y^2) / (2 T)), 1]``.  The reading `BOTH` attempts each
    threshold, so it doubles the rate below them.
    """
    height = barrier(stress, rule)
    if height <= 0.0:
        return rule.attempt_rate
    rate = rule.attempt_rate * exp(-height)
    return 2.0 * rate if rule.reading == BOTH else rate


def highest_rate(rule):
    """Return the largest p_on of any stress."""
    return 2.0 * rule.attempt_rate if rule.reading == BOTH else rule.attempt_rate


def rate_ceiling(stress, rule):
    """Return an upper bound of `activation_rate` without its cap at the threshold.

    ``highest_rate exp(-barrier)``: the rate itself, except for the reading `BOTH`, whose rate is
    half of it at and above the threshold.
    """
    return highest_rate(rule) * exp(-barrier(stress, rule))


def exposure(stress, rule):
    """Return the quantity of a site that determines the slope of its barrier; see `steepness`.

    |sigma| for the barrier of Eq. (2); else the distance x from the threshold for alpha >= 1, and
    1 / x for alpha < 1; 0 for a site that has no barrier.
    """
    if rule.exponent > 0.0:
        below = rule.yield_stress - abs(stress)
        below = 0.0 if below < SMALLEST else below
        if rule.exponent >= 1.0:
            return below
        return 1.0 / below if below > 0.0 else 0.0
    return abs(stress)


def steepness(largest, rule):
    """Return the argument of `barrier_fall` for many sites, from their largest `exposure`.

    |sigma| itself for the barrier of Eq. (2).  Else a bound of the decrease of x^alpha per change
    of x: ``alpha x^(alpha - 1)`` at the largest x for alpha >= 1; ``(x / 2)^(alpha - 1)`` at the
    smallest x for alpha < 1, valid for changes d below x / 2, where the slope is at most alpha
    times that, and for larger ones because ``x^alpha - (x - d)^alpha <= d^alpha``.
    """
    exponent = rule.exponent
    if exponent > 0.0:
        if exponent >= 1.0:
            return exponent * power(largest, exponent - 1.0) if exponent > 1.0 else 1.0
        return power(2.0 * largest, 1.0 - exponent)
    return largest


def barrier_fall(steepest, change, rule):
    """Return the largest decrease of the barrier under a change of the stress by at most `change`.

    ``(2 |sigma| change + change^2) / (2 T)`` at the largest |sigma| for Eq. (2), else
    ``steepest change / T``, with `steepest` from `steepness`; 0 for `RANDOM`.  So `rate_ceiling`
    grows by at most a factor ``exp(fall)``.
    """
    if rule.reading == RANDOM:
        return 0.0
    square = 0.0 if rule.exponent > 0.0 else 1.0
    return (2.0 * steepest + square * change) * change / (2.0 * rule.temperature)


def activation_bound(stress, rule):
    """Return an upper bound of `activation_rate` that needs no exponential.

    ``exp(-b) <= 1 / (1 + b + b^2/2 + b^3/6)`` for b >= 0; a relative 1e-9 covers rounding.
    """
    height = barrier(stress, rule)
    series = 1.0 + height * (1.0 + height * (0.5 + height * (1.0 / 6.0)))
    bound = rule.attempt_rate * (1.0 + 1e-9) / series
    return 2.0 * bound if rule.reading == BOTH else bound


def may_activate(stress, uniform, rule, step):
    """Tell whether ``uniform <= activation_bound dt``, without a division; GPUs divide slowly.

    Both sides times the series and the cube of what divides the barrier; a relative 1e-9 covers
    rounding again.
    """
    highest = highest_rate(rule) * step * (1.0 + 2e-9)
    height, unit = barrier_height(stress, rule)
    if height <= 0.0:
        return uniform <= highest
    cube = unit * unit * unit
    series = cube + height * (unit * unit + height * (0.5 * unit + height * (1.0 / 6.0)))
    return uniform * series <= highest * cube


def release_bound(rate_off, step):
    """Return an upper bound of the probability that an active site is released in a step.

    ``1 - exp(-p_off dt)``, re-activated or not; a relative 1e-9 covers rounding.
    """
    return -expm1(-rate_off * step) * (1.0 + 1e-9)


def activation_direction(stress, rule, uniform):
    """Return +1 or -1, the threshold that an activating site crosses.

    `uniform` (in [0, 1)) decides where the stress does not: for `RANDOM`; below the thresholds for
    `EITHER` and `BOTH`; and where the stress is zero up to rounding.
    """
    reading = rule.reading
    drawn = abs(stress) < UNSIGNED_STRESS * rule.yield_stress or reading == RANDOM
    if reading in (EITHER, BOTH) and abs(stress) < rule.yield_stress:
        drawn = True
    if drawn:
        return 1 if uniform < 0.5 else -1
    return 1 if stress > 0.0 else -1


def switching_probabilities(rate_on, rate_off, step):
    """Return the probabilities of the exact two-state process over one step.

    With the rates constant over the step dt, and K = p_on + p_off,
    ``P01 = (p_on / K) (1 - exp(-K dt))`` and ``P10 = (p_off / K) (1 - exp(-K dt))``.  An active
    site may also be released and re-activated within the step, with probability
    ``1 - P10 - exp(-p_off dt)``: a new event with a new direction.

    Returns
    -------
    activated, deactivated, renewed : float
        P01 for an inactive site; P10 and the probability of a new event for an active one.
    """
    total = rate_on + rate_off
    relaxed = -expm1(-total * step) / total
    activated = rate_on * relaxed
    deactivated = rate_off * relaxed
    renewed = -expm1(-rate_off * step) - deactivated
    if renewed < 0.0:  # by rounding; Numba does not compile max() for CUDA
        renewed = 0.0
    return activated, deactivated, renewed
