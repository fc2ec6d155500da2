"""Calls of a function of the user at even intervals of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from epmpi.config import ConfigError, Configuration, whole_multiple
from epmpi.model.model import Model


class Moment:
    """The state of a run, as the function of the user sees it.

    The arrays are those of this rank, on the host, and read-only.  They are valid until the
    function returns: copy them to keep them.

    Attributes
    ----------
    step : int
        Since the end of the warm-up.
    time : float
        Since the end of the warm-up, in units of tau.
    first_row : int
        Global index x of the first row of the fields of this rank; 0 on one rank.
    """

    def __init__(self, model: Model, warmup_steps: int) -> None:
        self._model = model
        self.step = model.step_count - warmup_steps
        self.time = self.step * model.configuration.time.step
        self.first_row = model.slab.start
        model.clock.complete()

    def _seen(self, array: NDArray) -> NDArray:
        seen = self._model.device.to_host(array).view()
        seen.flags.writeable = False
        return seen

    @property
    def stress(self) -> NDArray:
        """The local stress; shape (rows, Ly)."""
        return self._seen(self._model.stress)

    @property
    def plastic_strain(self) -> NDArray[np.float64]:
        """The plastic strain; shape (rows, Ly)."""
        return self._seen(self._model.plastic_strain)

    @property
    def active(self) -> NDArray[np.int8]:
        """The product n s: 0 inactive, +1 or -1 active; shape (rows, Ly)."""
        return self._seen(self._model.active)

    def tracers(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return identities and unwrapped positions (number, 2), in any order.  Collective."""
        self._model.clock.place_tracers()
        tracers = self._model.tracers
        return self._seen(tracers.identity), self._seen(tracers.position)

    def observables(self) -> dict[str, float]:
        """Return the means over the lattice on the root; see `Model.observables`.  Collective."""
        return self._model.observables()


@dataclass(frozen=True)
class Calls:
    """A function of the user and the interval of its calls, the first at the start.

    Attributes
    ----------
    every : int
        Steps.
    """

    every: int
    call: Callable[[Moment], object]

    @classmethod
    def of(
        cls, every: float | None, call: Callable[[Moment], object] | None, given: Configuration
    ) -> Calls | None:
        """Return the requested calls; None for none.

        Raises
        ------
        ConfigError
            If one goes without the other, or the interval is no whole number of steps.
        """
        if every is None and call is None:
            return None
        if every is None or not callable(call):
            raise ConfigError(
                f"run(every={every}, call={call}): expected a time and a function, which is called "
                "at the end of the warm-up and whenever that time has passed"
            )
        steps = whole_multiple(every, given.time.step) if every > 0 else None
        if not steps:
            raise ConfigError(
                f"run(every={every}): expected a positive multiple of {given.time.step:.12g}, the "
                "time from one step to the next"
            )
        return cls(steps, call)

    def next_due(self, step: int, warmup_steps: int) -> int:
        """Return the first step after this one, counted from the start, with a call."""
        if step < warmup_steps:
            return warmup_steps
        return step + self.every - (step - warmup_steps) % self.every

    def make(self, model: Model, warmup_steps: int) -> None:
        """Call the function if it is due at this step.  Collective."""
        since = model.step_count - warmup_steps
        if since >= 0 and since % self.every == 0:
            self.call(Moment(model, warmup_steps))
