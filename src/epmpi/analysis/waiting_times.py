"""Waiting times between two activations of the same site: psi(tau_ev), its fit and its persistence.

The run itself counts them (/histograms/waiting_times): in bins of whole steps, or with the exact
clock in bins of time that begin at 0.  Frames of the histogram are cumulative, so their differences
are blocks of time.  The first blocks cannot hold long waits: if waits are not much shorter than the
run, the errors are too large rather than too small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.blocks import jackknifed_counts
from epmpi.analysis.curve import Curve, FittedLaw, with_errors
from epmpi.analysis.fits import CURVE, deviations, fit_curved
from epmpi.analysis.run_file import RunFile

HISTOGRAM = "histograms/waiting_times"
SHORTEST = 10.0  # restructuring times: psi of shorter waits has a shoulder, echoes of one event
FEWEST = 100  # waits
MOST_BLOCKS = 16
LEAST_CHANCE = 0.1  # lower bound on the chance that a wait is seen: limits the weight of long waits
DEFINITION = (
    "psi(tau_ev): probability density of the time between two consecutive activations of the same "
    "site, both after the warm-up, over all sites; {bins}; a wait counts 1/(1 - "
    "tau_ev/T), for it fits into a run of length T with the chance 1 - tau_ev/T (0.1 at least); "
    "waits longer than the run are not seen; errors from blocks of time, or from replicas"
)
OF_STEPS = "in bins of whole steps"
OF_TIME = "of exact times, in bins that follow each other from 0 on, no step in them"
PERSISTENCE = (
    "probability that a site is not activated in an interval of length t, from psi by Palm's "
    "formula for stationary events: F(t) = int_t^inf (tau_ev - t) psi dtau_ev / <tau_ev>"
)
LAW = "psi = A tau_ev^-x exp(-tau_ev/tau_c)"


@dataclass(frozen=True)
class WaitingTimes:
    """Counts of waiting times in bins, for each block of time.

    Attributes
    ----------
    edges : array, shape (bins + 1,)
        Edges of the bins, in tau: half a step below and above whole steps; or of exact times, and
        then the first is 0.
    counts : int array, shape (blocks, bins)
        Of blocks of time; or of replicas, a block each.
    duration : float
        Of the run, in tau: both activations of a wait lie in it.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    duration: float = np.inf

    @classmethod
    def from_cumulative(
        cls, edges: NDArray[np.float64], cumulative: NDArray[np.int64], duration: float = np.inf
    ) -> WaitingTimes:
        """Return the counts of blocks from frames of a cumulative histogram, (frames, bins)."""
        blocks = max(1, min(MOST_BLOCKS, len(cumulative) - 1))
        at = np.linspace(0, len(cumulative) - 1, blocks + 1).round().astype(int)
        return cls(edges, np.diff(cumulative[at], axis=0), duration)

    @property
    def definition(self) -> str:
        """Definition of psi, with the kind of the bins."""
        return DEFINITION.format(bins=OF_STEPS if self.edges[0] > 0 else OF_TIME)

    @property
    def middles(self) -> NDArray[np.float64]:
        """Middles of the bins, in tau."""
        return (self.edges[1:] + self.edges[:-1]) / 2

    @property
    def numbers(self) -> NDArray[np.float64]:
        """Counts over the chance that a wait of that length is seen, shape (blocks, bins)."""
        return self.counts / np.maximum(1 - self.middles / self.duration, LEAST_CHANCE)

    @property
    def centres(self) -> NDArray[np.float64]:
        """Logarithmic middles of the bins, shape (bins,), in tau; linear in a bin from 0."""
        return np.sqrt(self.edges[1:] * np.maximum(self.edges[:-1], self.edges[1] / 4))

    def mean(self) -> tuple[float, float]:
        """Return the mean waiting time and its jackknife error, in tau."""
        mean, error = jackknifed_counts(
            lambda numbers: np.average(self.middles, weights=numbers), self.numbers
        )
        return float(mean), float(error)

    def density(self) -> Curve:
        """Return psi(tau_ev); bins without a count are left out."""
        width = np.diff(self.edges)
        value, error = jackknifed_counts(
            lambda numbers: numbers / (numbers.sum() * width), self.numbers
        )
        seen = value > 0
        return Curve(
            "waiting_times",
            self.definition,
            "waiting_time",
            self.centres[seen],
            value[seen],
            error[seen],
            "tau",
            "1/tau",
            {**with_errors(["mean"], *self.mean()), "number": int(self.counts.sum())},
        )

    def persistence(self) -> Curve:
        """Return F(t) at the edges of the bins; waits are spread evenly within a bin."""
        middle = self.middles

        def beyond(numbers: NDArray) -> NDArray:
            number = np.append(np.cumsum(numbers[::-1])[::-1], 0)
            total = np.append(np.cumsum((numbers * middle)[::-1])[::-1], 0)
            return (total - self.edges * number) / (numbers * middle).sum()

        value, error = jackknifed_counts(beyond, self.numbers)
        seen = value > 1e-6
        edges = self.edges[seen]
        return Curve("persistence", PERSISTENCE, "lag", edges, value[seen], error[seen], "tau")

    def fit(self, shortest: float) -> FittedLaw | None:
        """Fit A tau_ev^-x exp(-tau_ev/tau_c), in logarithms, from `shortest` (in tau) on.

        Parameters are x and tau_c ('exponent', 'cutoff'), errors by jackknife over blocks of time;
        None where fewer than six bins hold ten waits.
        """
        centres, width = self.centres, np.diff(self.edges)
        total = self.counts.sum(axis=0)
        used = (total >= 10) & (centres >= shortest)
        if used.sum() < 6:
            return None
        x = centres[used]
        sigma = deviations(1 / np.sqrt(total[used]), np.ones_like(x), CURVE)  # of ln psi

        def law(height: float, exponent: float, log_cutoff: float) -> NDArray:
            return height - exponent * np.log(x) - x / np.exp(log_cutoff)

        def solve(numbers: NDArray) -> NDArray:
            y = np.log(np.maximum(numbers[used], 0.5) / (numbers.sum() * width[used]))
            start = (y[0], 0.7, np.log(np.average(centres, weights=numbers * centres)))
            found = fit_curved(law, start, y, sigma)
            if found is None:
                return np.full(2, np.nan)
            return np.array([found.value[1], np.exp(found.value[2])])

        value, error = jackknifed_counts(solve, self.numbers)
        return FittedLaw(LAW, ("exponent", "cutoff"), value, error, (float(x[0]), float(x[-1])))


def measure_waits(runs: Sequence[RunFile]) -> WaitingTimes | None:
    """Return the waiting times of replicas; None where fewer than `FEWEST` were counted."""
    run = runs[0]
    if not all(run.has(HISTOGRAM) for run in runs):
        return None
    histograms = [run.frames(HISTOGRAM) for run in runs]
    edges = np.asarray(run.parameter("waiting_times", "edges"), dtype=np.float64)
    if min(map(len, histograms)) < 2:
        return None
    counts = np.stack([cumulative[-1] - cumulative[0] for cumulative in histograms])
    if counts.sum() < FEWEST:
        return None
    clock = run.clock(HISTOGRAM)
    step = (clock.time[-1] - clock.time[0]) / (clock.step[-1] - clock.step[0])
    if len(runs) == 1:
        return WaitingTimes.from_cumulative(edges * step, histograms[0], float(clock.time[-1]))
    return WaitingTimes(edges * step, counts, float(clock.time[-1]))
