"""End of an automatic warm-up: a statistical criterion on the activity and the stress variance.

The warm-up is stored as means of equal blocks of time; when there are `MOST` of them, pairs are
merged.  Its first third is ignored, the second and the last third are compared.  It is steady if

1. the means of both thirds agree within `SIGMAS` combined errors, for activity and stress variance;
2. each third holds at least `FEWEST_INDEPENDENT` independent blocks, by their autocorrelation,
   without which the errors of 1. are meaningless;
3. each third is so long that sites have been activated at least once on average: at low temperature
   the stress drifts on that scale, and shorter windows look steady when they are not.

The error of a third is that of blocks with an exponentially decaying correlation, sqrt(s^2/n (1 +
r)/(1 - r)), with r the correlation of neighbouring blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from epmpi.model.state import Arrays, Part

MOST = 192  # blocks; then pairs are merged
CHECK = 12  # blocks between two decisions
FEWEST = 48  # blocks at the first decision
SIGMAS = 2.0
FEWEST_INDEPENDENT = 6.0
EVENTS_PER_SITE = 1.0
QUANTITIES = ("activity", "stress_variance")

# An automatic warm-up ends after so many durations of the measurement, or this time if longer.
DURATIONS, SHORTEST_BOUND = 20.0, 1e4
AT_BOUND = "at its bound, without being steady"

CRITERION = (
    f"second and last third of the warm-up agree within {SIGMAS:g} errors in activity and stress "
    f"variance, each with {FEWEST_INDEPENDENT:g} independent blocks and {EVENTS_PER_SITE:g} event "
    "a site at least"
)


def longest_warmup(duration: float) -> float:
    """Return the time after which a warm-up ends even if it is not steady.

    Without events, as at T -> 0, it would never become so.
    """
    return max(DURATIONS * duration, SHORTEST_BOUND)


@dataclass(frozen=True)
class Verdict:
    """Result of the criterion.

    Attributes
    ----------
    activity_before, activity_after, variance_before, variance_after : float
        Means of the second and the last third.
    activity_deviation, variance_deviation : float
        Their differences in combined errors.
    independent : float
        Smallest number of independent blocks in a third.
    events_per_site : float
        In a third.
    """

    steady: bool
    activity_before: float
    activity_after: float
    activity_deviation: float
    variance_before: float
    variance_after: float
    variance_deviation: float
    independent: float
    events_per_site: float

    def describe(self) -> dict[str, float | str]:
        """Return the attributes for the run file."""
        numbers = {key: value for key, value in asdict(self).items() if key != "steady"}
        return {"criterion": CRITERION, **numbers}


def judge(blocks: NDArray[np.float64], events_per_site: float) -> Verdict:
    """Judge the block means of a warm-up.

    Parameters
    ----------
    blocks : array, shape (2, blocks)
        Activity and stress variance.
    events_per_site : float
        Activations per site in a third of that time.
    """
    third = blocks.shape[1] // 3
    before, after = blocks[:, -2 * third : -third], blocks[:, -third:]
    parts = [_mean_with_error(row) for half in (before, after) for row in half]
    means, errors, numbers = np.array(parts).T.reshape(3, 2, 2)
    independent = float(numbers.min())
    combined = np.hypot(errors[0], errors[1])
    difference = means[1] - means[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = np.where(difference == 0, 0.0, difference / combined)
    steady = (
        bool((np.abs(deviation) <= SIGMAS).all())
        and independent >= FEWEST_INDEPENDENT
        and events_per_site >= EVENTS_PER_SITE
    )
    return Verdict(
        steady,
        float(means[0, 0]), float(means[1, 0]), float(deviation[0]),
        float(means[0, 1]), float(means[1, 1]), float(deviation[1]),
        float(independent), float(events_per_site),
    )  # fmt: skip


def _mean_with_error(row: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the mean of blocks, its error, and how many of them are independent."""
    mean, shifted = float(row.mean()), row - row.mean()
    square = float(shifted @ shifted)
    if square <= 1e-24 * row.size * mean**2:
        return mean, 0.0, float(row.size)
    correlation = float(np.clip(shifted[1:] @ shifted[:-1] / square, 0.0, 0.99))
    # The correlation of few blocks is underestimated by about (1 + 3 r)/n.
    correlation = min(correlation + (1 + 3 * correlation) / row.size, 0.99)
    independent = row.size * (1 - correlation) / (1 + correlation)
    return mean, float(np.sqrt(square / (row.size - 1) / independent)), independent


class SteadyState(Part):
    """Record of a warm-up on the root, part of the state so that a restart continues it.

    Parameters
    ----------
    sample_time : float
        Time between two samples, in tau.
    event_time : float
        Mean duration of an event, tau_res: activity / event_time is the rate of events of a site.
    sites : int
        Of the lattice.
    """

    def __init__(self, sample_time: float, event_time: float, sites: int) -> None:
        self.rate = sample_time / event_time
        self._site_time = sample_time * sites
        # Of the exact clock at the last sample; unknown before the first one.
        self.active_time = np.full(1, np.nan)
        self.blocks = np.zeros((2, MOST))
        # Complete blocks, samples in the next one, samples a block, step of the end or 0.
        self.count = np.array([0, 0, 1, 0], np.int64)

    def add(self, values: Mapping[str, float]) -> None:
        """Add a sample of the observables.  On the root.

        With the exact clock the activity is the mean over the time since the last sample.
        """
        filled, inside, width, _ = self.count
        self.blocks[:, filled] += [self._of(values, name) / width for name in QUANTITIES]
        self.active_time[0] = values.get("active_time", np.nan)
        self.count[1] = inside + 1
        if inside + 1 < width:
            return
        self.count[:2] = filled + 1, 0
        if filled + 1 == MOST:
            self.blocks[:, : MOST // 2] = (self.blocks[:, ::2] + self.blocks[:, 1::2]) / 2
            self.blocks[:, MOST // 2 :] = 0
            self.count[:3] = MOST // 2, 0, 2 * width

    def _of(self, values: Mapping[str, float], name: str) -> float:
        """Return a quantity of a sample, or its mean over time if known."""
        mean = (values.get("active_time", np.nan) - self.active_time[0]) / self._site_time
        return values[name] if name != "activity" or np.isnan(mean) else float(mean)

    def verdict(self) -> Verdict | None:
        """Return the verdict if one is due.  On the root."""
        filled, inside, _, _ = self.count
        return None if inside or filled < FEWEST or filled % CHECK else self.judgement()

    def judgement(self) -> Verdict:
        """Apply the criterion to the complete blocks.  On the root."""
        filled, _, width, _ = self.count
        known = self.blocks[:, :filled]
        third = filled // 3
        return judge(known, float(known[0, -third:].mean() * third * width * self.rate))

    def end(self, step: int) -> None:
        """Record that the warm-up has ended."""
        self.count[3] = step

    @property
    def ended(self) -> int:
        """Step at which the warm-up ended; 0 before.  On the root."""
        return int(self.count[3])

    def root(self) -> Arrays:
        """Return the means of the blocks, one row each, the counts, and the active time."""
        return {
            "blocks": self.blocks.T.copy(),
            "count": self.count.copy(),
            "active_time": self.active_time.copy(),
        }

    def restore(self, fields: Arrays, counts: Arrays, root: Arrays) -> None:
        """Restore arrays returned by `root`."""
        self.blocks[:] = root["blocks"].T
        self.count[:] = root["count"]
        self.active_time[:] = root["active_time"]
