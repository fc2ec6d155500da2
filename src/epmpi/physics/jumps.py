"""Instantaneous events: the residual stress of a site, and its next threshold.

In models of thermal avalanches a site yields at once: its stress drops, and that of all others
changes by the elastic response (Ozawa and Biroli, PRL 130, 138201, 2023; Tahaei, Biroli, Ozawa,
Popovic and Wyart, PRX 13, 031034, 2023).  Plain functions of numbers, as in `rules`: the devices
compile them.  Uniforms are in [0, 1).
"""

from __future__ import annotations

from math import cos, exp, lgamma, log1p, pi, sqrt
from typing import NamedTuple

# The distribution of the residual stress; by the value of `model.residual`.
EXPONENTIAL = 0  # its distance from the threshold is exponential
NORMAL_STRESS = 1  # it is normal, with mean zero
RESIDUALS = {"exponential": EXPONENTIAL, "normal": NORMAL_STRESS}

# The distribution of the thresholds; by the value of `model.thresholds`.
UNIFORM = 0  # all the same
NORMAL = 1
WEIBULL = 2
THRESHOLDS = {"uniform": UNIFORM, "normal": NORMAL, "weibull": WEIBULL}

# The choice of the next site.
THERMAL = 0
EXTREMAL = 1  # the weakest one, at T = 0+

STEEPEST_WEIBULL = 1e3  # largest shape parameter: a deviation of 0.13 % of the mean


class JumpRule(NamedTuple):
    """Parameters of instantaneous events, as compiled loops take them.

    Attributes
    ----------
    oriented : int
        1 where each event has an orientation of its own, else 0.
    driver : int
        THERMAL or EXTREMAL.
    residual : int
        EXPONENTIAL or NORMAL_STRESS.
    residual_scale : float
        z0, mean distance from the threshold; or the standard deviation of the stress.
    thresholds : int
        UNIFORM, NORMAL or WEIBULL.
    mean, deviation : float
        Of the thresholds.
    shape, scale : float
        k and lambda of the Weibull distribution with them.
    """

    oriented: int
    driver: int
    residual: int
    residual_scale: float
    thresholds: int
    mean: float
    deviation: float
    shape: float
    scale: float


def normal_of(first, second):
    """Return a standard normal number from two uniforms (Box and Muller)."""
    return sqrt(-2.0 * log1p(-first)) * cos(2.0 * pi * second)


def draw_threshold(rule, first, second):
    """Return a threshold sigma_Y >= 0; a normal one below 0 counts as 0."""
    if rule.thresholds == NORMAL:
        drawn = rule.mean + rule.deviation * normal_of(first, second)
        return drawn if drawn > 0.0 else 0.0
    if rule.thresholds == WEIBULL:
        return rule.scale * (-log1p(-first)) ** (1.0 / rule.shape)
    return rule.mean


def draw_residual(sign, threshold, rule, first, second):
    """Return the stress of a site after its event.

    Parameters
    ----------
    sign : int
        +1 or -1, of its previous stress.
    threshold : float
        Its new threshold.
    rule : JumpRule
    first, second : float
        Uniforms.

    Returns
    -------
    float
        ``sign (sigma_Y - z)``, z the distance from the threshold, exponential with mean z0 (the
        site is beyond the opposite threshold where ``z > 2 sigma_Y``); or a normal number of mean
        zero.
    """
    if rule.residual == NORMAL_STRESS:
        return rule.residual_scale * normal_of(first, second)
    return sign * (threshold + rule.residual_scale * log1p(-first))


def weibull(mean: float, deviation: float) -> tuple[float, float]:
    """Return k and lambda of the Weibull distribution of a mean and a standard deviation.

    From ``mean = lambda Gamma(1 + 1/k)`` and ``1 + (deviation / mean)^2 = Gamma(1 + 2/k) /
    Gamma(1 + 1/k)^2``, which falls with k, by bisection.
    """
    wanted = log1p((deviation / mean) ** 2)
    low, high = 0.05, STEEPEST_WEIBULL
    for _ in range(200):
        shape = 0.5 * (low + high)
        found = lgamma(1 + 2 / shape) - 2 * lgamma(1 + 1 / shape)
        low, high = (shape, high) if found > wanted else (low, shape)
    return shape, mean / exp(lgamma(1 + 1 / shape))
