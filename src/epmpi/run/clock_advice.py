"""Advice on the faster clock of a run, from a rough law for the cost of a unit of time.

A step costs a site update for each site, and an overhead of `STEP` of them.  An event of the exact
clock costs about ``EVENT sqrt(N) + PER_ACTIVE w^2 a N`` site updates, for updates of tiles of w^2
sites and direct sums over the active sites.  The constants are fits to `benchmarks.events`
(docs/performance.md), on one core without tracers, good to a factor of three.
"""

from __future__ import annotations

import math

from epmpi.config import ConfigError, Configuration, shortest_time
from epmpi.model.exact import tile_width

STEP, EVENT, PER_ACTIVE = 4e3, 9.0, 0.16  # site updates
USUAL_STEP = 0.1  # of the shortest time of the model, as by default
WORTH_A_LINE = 3.0  # least factor for an advice
BELIEVED = 1e6  # largest factor that is given as a number
LEAST_ACTIVITY = 1e-30  # below it no event is expected in a run


def exact_clock_gain(configuration: Configuration, activity: float, step: float) -> float:
    """Return the cost of steps of a given length over that of the exact clock.

    Parameters
    ----------
    activity : float
        Fraction of active sites, > 0.
    step : float
        Length of a step, in the unit of time.
    """
    sites = math.prod(configuration.lattice.shape)
    active = activity * sites
    events = active / configuration.model.restructuring_time  # a unit of time
    event = EVENT * math.sqrt(sites) + PER_ACTIVE * tile_width(sites, activity) ** 2 * active
    return (sites + STEP) / step / (events * event)


def advice(configuration: Configuration, activity: float | None) -> str:
    """Return the advice to use the other clock where it would be much faster, else nothing.

    Parameters
    ----------
    activity : float or None
        Fraction of active sites; None or 0 where it is unknown, because no site has yielded.
    """
    if not activity or activity < LEAST_ACTIVITY:
        return ""
    exact = configuration.time.clock == "exact"
    step = shortest_time(configuration.model)[0] * USUAL_STEP if exact else configuration.time.step
    gain = exact_clock_gain(configuration, activity, step)
    gain = 1 / gain if exact else gain
    other = ["time.clock=steps", f"time.step={step:g}"] if exact else ["time.clock=exact"]
    if gain < WORTH_A_LINE or not _can_run(configuration, other):
        return ""
    by = f"steps of {step:g}" if exact else "the exact clock"
    return (
        f"{by} would take {_times(gain)} less here, where a fraction "
        f"{activity:.1g} of the sites is active: --set {' --set '.join(other)}"
    )


def _can_run(configuration: Configuration, overrides: list[str]) -> bool:
    try:
        configuration.with_overrides(overrides)
    except ConfigError:
        return False
    return True


def _times(gain: float) -> str:
    """Return a factor in words, rounded to one digit."""
    if gain >= BELIEVED:
        return f"more than {BELIEVED:.0e} times"
    return f"about {float(f'{gain:.0e}'):.0f} times"
