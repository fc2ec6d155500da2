"""The scalar physics of one site and of one tracer, written once for every compiler.

Eq. (2) of Ferrero, Martens and Barrat, PRL 113, 248301 (2014), in its selectable readings, the
exact two-state step at frozen stress, and the weights of the interpolations.  Plain functions of
numbers: the devices compile them for CPU loops and for CUDA kernels.  Nothing here knows an array.
"""

from __future__ import annotations

import math

# How a site is activated, and which direction it takes.
STRESS = 0  # thermal; the sign of the local stress (the literal Eq. 2)
EITHER = 1  # thermal; total rate of Eq. 2, below the threshold both directions equally likely
BOTH = 2  # thermal; an attempt at each threshold, at the rate of Eq. 2 each
RANDOM = 3  # the random model: a constant rate, both directions equally likely

READINGS = {"stress": STRESS, "either": EITHER, "both": BOTH}

# Below this stress (in units of the yield stress) its sign is rounding: it is drawn instead.
UNSIGNED_STRESS = 1e-12


def activation_rate(stress, reading, attempt_rate, yield_stress, temperature):
    """Return p_on of Eq. (2), the rate 0 -> 1, summed over both directions.

    ``p_on = Gamma0 min[exp((sigma^2 - sigma_Y^2) / (2 T)), 1]``.  The reading `BOTH` attempts each
    threshold, so it doubles the rate below them.  For `RANDOM` the attempt rate is p_on itself.

    Parameters
    ----------
    stress, yield_stress : float
        sigma and sigma_Y, in units of the yield stress.
    reading : int
        STRESS, EITHER, BOTH or RANDOM.
    attempt_rate : float
        Gamma0, per unit of time.
    temperature : float
        T, in units of the yield stress squared.
    """
    if reading == RANDOM:
        return attempt_rate
    barrier = (yield_stress * yield_stress - stress * stress) / (2.0 * temperature)
    if barrier <= 0.0:
        return attempt_rate
    rate = attempt_rate * math.exp(-barrier)
    return 2.0 * rate if reading == BOTH else rate


def activation_bound(stress, reading, attempt_rate, yield_stress, temperature):
    """Return an upper bound of `activation_rate` that needs no exponential.

    ``exp(-b) <= 1 / (1 + b + b^2/2 + b^3/6)`` for b >= 0; a relative 1e-9 covers rounding.
    """
    if reading == RANDOM:
        return attempt_rate * (1.0 + 1e-9)
    barrier = (yield_stress * yield_stress - stress * stress) / (2.0 * temperature)
    if barrier < 0.0:
        barrier = 0.0
    series = 1.0 + barrier * (1.0 + barrier * (0.5 + barrier * (1.0 / 6.0)))
    bound = attempt_rate * (1.0 + 1e-9) / series
    return 2.0 * bound if reading == BOTH else bound


def release_bound(rate_off, step):
    """Return an upper bound of the probability that an active site comes to rest in a step.

    Whether or not it is activated again: ``1 - exp(-p_off dt)``; a relative 1e-9 covers rounding.
    """
    return -math.expm1(-rate_off * step) * (1.0 + 1e-9)


def activation_direction(stress, reading, yield_stress, uniform):
    """Return +1 or -1, the threshold that an activating site crosses.

    `uniform` (of [0, 1)) decides where the stress does not: for `RANDOM`; below the thresholds for
    `EITHER` and `BOTH`; and where the stress is zero to rounding.
    """
    drawn = abs(stress) < UNSIGNED_STRESS * yield_stress or reading == RANDOM
    if reading in (EITHER, BOTH) and abs(stress) < yield_stress:
        drawn = True
    if drawn:
        return 1 if uniform < 0.5 else -1
    return 1 if stress > 0.0 else -1


def switching_probabilities(rate_on, rate_off, step):
    """Return the probabilities of the exact two-state process over one step.

    With the rates constant over the step dt, and K = p_on + p_off,
    ``P01 = (p_on / K) (1 - exp(-K dt))`` and ``P10 = (p_off / K) (1 - exp(-K dt))``.  An active
    site may also leave and come back within the step, with probability
    ``1 - P10 - exp(-p_off dt)``: a new event, that takes a new direction.

    Returns
    -------
    activated, deactivated, renewed : float
        P01 for an inactive site; P10 and the probability of a new event for an active one.
    """
    total = rate_on + rate_off
    relaxed = -math.expm1(-total * step) / total
    activated = rate_on * relaxed
    deactivated = rate_off * relaxed
    renewed = -math.expm1(-rate_off * step) - deactivated
    if renewed < 0.0:  # by rounding; Numba does not compile max() for CUDA
        renewed = 0.0
    return activated, deactivated, renewed


def linear_weights(fraction):
    """Return the weights of the two sites around a point at `fraction` of a spacing."""
    return 1.0 - fraction, fraction


def spline_weights(fraction):
    """Return the four weights B of the uniform cubic B-spline, at offsets -1, 0, 1, 2.

    `fraction` of [0, 1) is the distance to the site at offset 0.  They sum to 1.
    """
    f = fraction
    g = 1.0 - f
    return (
        g * g * g * (1.0 / 6.0),
        2.0 / 3.0 - f * f * (1.0 - 0.5 * f),
        2.0 / 3.0 - g * g * (1.0 - 0.5 * g),
        f * f * f * (1.0 / 6.0),
    )


def spline_slopes(fraction):
    """Return the derivatives of `spline_weights` by `fraction` (per spacing).  They sum to 0."""
    f = fraction
    g = 1.0 - f
    return -0.5 * g * g, f * (1.5 * f - 2.0), -g * (1.5 * g - 2.0), 0.5 * f * f
