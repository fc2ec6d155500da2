"""Whether a measured series is stationary: its drift, and how often chance alone has such a one.

The drift is the change of a straight line through the series, from its beginning to its end.  The
series is cut into blocks as for its average (see `blocks`), with the autocorrelation time of what
the line leaves, and a line of one slope, whatever the levels of the replicas, is fitted to the
means of the blocks: its error comes from their scatter about it, and Student's t tells how likely a
drift as large is where there is none.  Where replicas are too short for blocks, the error comes
from the spread of their own lines.
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

CHANCE = 0.01  # of a mark on a series that is stationary
REMEDY = 'set a longer time.warmup, or time.warmup = "auto"'
DEFINITION = (
    "change along a straight line from beginning to end of the series; probability: of "
    f"one as large, either way, in a stationary series; marked below {CHANCE:g}"
)


@dataclass(frozen=True)
class Drift:
    """How a series changes in the time of measurement.

    Attributes
    ----------
    value : float
        End minus beginning, along a straight line; in the units of the series.
    error : float
        Its standard error; nan if the series is too short to tell.
    probability : float
        Of a drift as large in a stationary series; nan if it is too short to tell.
    """

    value: float
    error: float
    probability: float

    @property
    def is_marked(self) -> bool:
        """Whether the series is to be taken as not stationary."""
        return self.probability < CHANCE


def drift(series: ArrayLike, replicas: int = 1) -> Drift:
    """Return the drift of a series.

    Parameters
    ----------
    series : array, shape (samples,)
    replicas : int
        Of how many independent runs the series holds equal parts, one after the other.
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
    # Rounding leaves a constant series a slope that is no drift.
    if error <= 1e-12 * float(np.abs(x).max()):
        return Drift(value, error, 1.0 if abs(value) <= 1e-9 * float(np.abs(x).max()) else 0.0)
    return Drift(value, error, float(2 * stats.t.sf(abs(value) / error, freedom)))


def remark(name: str, found: Drift, mean: float, remedy: str = REMEDY) -> str:
    """Return a line on a series that is marked, by its name for people."""
    ratio = found.value / mean if mean else np.inf
    # Of a mean that is nearly zero a share says nothing.
    share = f", {100 * ratio:+.2g} % of the average" if abs(ratio) < 1 else ""
    return (
        f"the {name} is not stationary: from beginning to end it drifts by "
        f"{significant(found.value, found.error)}{share} (by chance: {found.probability:.1g}); "
        f"{remedy}"
    )
