"""The time before the measurement: annealing, and a warm-up of given length or until steady."""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import accumulate

from epmpi.host.console import say
from epmpi.model.model import Model
from epmpi.run.steady import (
    AT_BOUND,
    EVENTS_PER_SITE,
    FEWEST,
    SteadyState,
    Verdict,
    longest_warmup,
)

UNDECIDED = 2**62  # steps of a warm-up whose end is not known yet


class Warmup:
    """The warm-up of a run, annealing included.

    Parameters
    ----------
    model : Model
        Its state includes the record of an automatic warm-up.

    Attributes
    ----------
    steps : int
        Steps of the whole warm-up, or `UNDECIDED`.
    verdict : Verdict or None
        The last decision.
    """

    def __init__(self, model: Model) -> None:
        self.configuration = configuration = model.configuration
        self.model = model
        self.communicator = model.communicator
        stages = configuration.initial.annealing
        self._ends = list(accumulate(configuration.steps(duration) for _, duration in stages))
        self._temperatures = [temperature for temperature, _ in stages]
        self._temperatures.append(configuration.model.temperature)
        self._stage = len(stages)  # the stage whose temperature the model has
        self.annealing_steps = configuration.annealing_steps
        known = configuration.warmup_steps
        self.steps = UNDECIDED if known is None else known
        self.verdict: Verdict | None = None
        self._steady: SteadyState | None = None
        if known is None:
            self._watch()

    @property
    def is_decided(self) -> bool:
        """Whether the end is known."""
        return self.steps != UNDECIDED

    def _watch(self) -> None:
        """Prepare the record of an automatic warm-up."""
        configuration, step = self.configuration, self.configuration.time.step
        every = configuration.steps(configuration.output.series_every)
        self._sample_steps = every or max(round(1.0 / step), 1)
        event_time = configuration.model.restructuring_time
        longest = math.ceil(longest_warmup(configuration.time.duration) / step)
        self._most_steps = max(longest, FEWEST * self._sample_steps)
        self._steady = SteadyState(self._sample_steps * step, event_time, self.model.lattice.sites)
        self.model.keep("steady_state", self._steady)

    def restore(self) -> None:
        """Restore the end of the warm-up from the model's state.  Collective."""
        if self._steady is None or not (end := self.communicator.broadcast(self._steady.ended)):
            return
        self.steps = end
        verdict = self._steady.judgement() if self.communicator.is_root else None
        self.verdict = self.communicator.broadcast(verdict)

    def end_if_steady(self) -> bool:
        """Sample the warm-up if due; tell whether it ends at this step.  Collective."""
        model, steady = self.model, self._steady
        since = model.step_count - self.annealing_steps
        if steady is None or self.is_decided or since <= 0 or since % self._sample_steps:
            return False
        observables, verdict = model.observables(), None
        if self.communicator.is_root:
            steady.add(observables)
            verdict = steady.verdict() if since < self._most_steps else steady.judgement()
        self.verdict = self.communicator.broadcast(verdict)
        if self.verdict is None or not (self.verdict.steady or since >= self._most_steps):
            return False
        self.steps = model.step_count
        if self.communicator.is_root:
            steady.end(model.step_count)
            if not self.verdict.steady:
                self._warn_of_bound(self.verdict, since)
        return True

    def _warn_of_bound(self, verdict: Verdict, since: int) -> None:
        """Print that the measurement begins although the state may not be steady."""
        say(
            f"epmpi: the warm-up ended {AT_BOUND}, after {since * self.configuration.time.step:.6g}"
            f" ({verdict.events_per_site:.3g} events a site in its last third, expected "
            f"{EVENTS_PER_SITE:g}; activity and stress variance differ by "
            f"{abs(verdict.activity_deviation):.3g} and {abs(verdict.variance_deviation):.3g} "
            "errors); for a longer one give time.warmup as a number"
        )

    def anneal(self) -> None:
        """Set the temperature of the next step where a stage of annealing begins or ends."""
        stage = bisect_right(self._ends, self.model.step_count)
        if stage != self._stage:
            self._stage = stage
            self.model.activation.set_temperature(self._temperatures[stage])

    def next_due(self) -> int:
        """Return the next step at which the warm-up is sampled or changed."""
        step = self.model.step_count
        if step < self.annealing_steps:
            return self._ends[bisect_right(self._ends, step)]
        if self.is_decided:
            return self.steps if step < self.steps else UNDECIDED
        samples = (step - self.annealing_steps) // self._sample_steps + 1
        return self.annealing_steps + samples * self._sample_steps

    def describe(self) -> dict[str, dict[str, float | str]]:
        """Return the basis of the decision, for /parameters."""
        if self.verdict is None:
            return {}
        bounded = self.is_decided and not self.verdict.steady
        return {"steady_state": self.verdict.describe() | ({"ended": AT_BOUND} if bounded else {})}
