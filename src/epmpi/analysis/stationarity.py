"""Stationarity of a measured series: its drift, and the probability of one as large by chance.

The drift is the change of a straight line through the series, from its beginning to its end.  The
series is cut into blocks as for its average (see `blocks`), with the autocorrelation time of the
residuals, and a line is fitted to the means of the blocks, with one slope for all replicas and a
level for each.  Its error comes from the scatter of the means about it, and the probability from
Student's t.  Where replicas are too short for blocks, the error comes from the spread of their own
slopes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from epmpi.analysis.blocks import (
    BLOCK_TIMES,
    FEWEST_BLOCKS,
    MOST_BLOCKS,
    block_means,
    correlation_time,
)
from epmpi.analysis.notation import significant

CHANCE = 0.01  # probability that a stationary series is marked
REMEDY = 'set a longer time.warmup, or time.warmup = "auto"'
DEFINITION = (
    "change along a straight line from beginning to end of the series; probability: of "
    f"one as large, either way, in a stationary series; marked below {CHANCE:g}"
)


@dataclass(frozen=True)
class Drift:
    """Drift of a series over the time of measurement.

    Attributes
    ----------
    value : float
        End minus beginning, along a straight line; in the units of the series.
    error : float
        Its standard error; nan if the series is too short.
    probability : float
        Of a drift as large in a stationary series; nan if the series is too short.
    """

    value: float
    error: float
    probability: float

    @property
    def is_marked(self) -> bool:
        """Whether the series counts as not stationary."""
        return self.probability < CHANCE


def drift(series: ArrayLike, replicas: int = 1) -> Drift:
    """Return the drift of a series.

    Parameters
    ----------
    series : array, shape (samples,)
    replicas : int
        Number of independent runs of equal length in the series, one after the other.
    """
    x = np.asarray(series, dtype=np.float64).reshape(replicas, -1)
    samples = x.shape[1]
    if samples < FEWEST_BLOCKS:
        return Drift(np.nan, np.nan, np.nan)
    time = np.linspace(-0.5, 0.5, samples)
    slopes = x @ time / (time @ time)
    value = float(slopes.mean())
    memory = np.mean([correlation_time(one - value * time) for one in x])
    blocks = min(int(samples / (BLOCK_TIMES * memory)), MOST_BLOCKS, samples)
    if blocks >= FEWEST_BLOCKS:
        means = np.array([block_means(one, blocks) for one in x])
        middle = block_means(time, blocks)
        middle -= middle.mean()  # blocks differ by a sample in length
        square = replicas * float(middle @ middle)
        value = float((means @ middle).sum()) / square
        scatter = means - means.mean(axis=1, keepdims=True) - value * middle
        freedom = means.size - replicas - 1
        error = float(np.sqrt((scatter**2).sum() / freedom / square))
    elif replicas >= FEWEST_BLOCKS:
        freedom = replicas - 1
        error = float(slopes.std(ddof=1) / np.sqrt(replicas))
    else:
        return Drift(value, np.nan, np.nan)
    # A constant series may have a small slope from rounding.
    if error <= 1e-12 * float(np.abs(x).max()):
        return Drift(value, error, 1.0 if abs(value) <= 1e-9 * float(np.abs(x).max()) else 0.0)
    return Drift(value, error, float(2 * stats.t.sf(abs(value) / error, freedom)))


def remark(name: str, found: Drift, mean: float, remedy: str) -> str:
    """Return one line on a marked series, with the name that users know it by."""
    ratio = found.value / mean if mean else np.inf
    # A share of a mean near zero is meaningless.
    share = f", {100 * ratio:+.2g} % of the average" if abs(ratio) < 1 else ""
    return (
        f"the {name} is not stationary: from beginning to end it drifts by "
        f"{significant(found.value, found.error)}{share} (by chance: {found.probability:.1g}); "
        f"{remedy}"
    )
