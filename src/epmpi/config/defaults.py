"""Defaults that give way to what is written, where the two cannot go together.

What somebody has written is never refused over, nor changed by, a number that he has not: the
default is replaced by the nearest value that suits.  Choices of the physics are no such numbers:
`model.activity` alone makes no model random, and `initial.stress_deviation` no start Gaussian.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import fields, replace
from types import SimpleNamespace
from typing import Any

from epmpi.config.checks import (
    LARGEST_RATE_STEP,
    MOST_STEPS,
    TOLERANCE,
    shortest_time,
    times_in_steps,
    whole_multiple,
)

# Between two moves of tracers, over the shorter of the times of an event.  How far paths
# are off is measured by `python -m benchmarks.paths`.
TIME_OF_A_MOVE = 0.4
FINEST = 10  # a step by default is divided so often, at most, to suit a time that is written


def written_keys(sections: dict[str, Any]) -> frozenset[str]:
    """Return the keys, section.key, of sections that were made one by one: what is no default."""
    return frozenset(
        f"{name}.{item.name}"
        for name, section in sections.items()
        for item in fields(section)
        if getattr(section, item.name) != item.default
    )


def settle(sections: dict[str, Any], written: Collection[str]) -> dict[str, Any]:
    """Return the sections with defaults that suit the keys that are written.

    Parameters
    ----------
    sections : dict
        Each valid by itself.
    written : collection of str
        The keys section.key that must not change.
    """
    draft: Any = SimpleNamespace(**sections)

    def change(name: str, value: Any) -> None:
        section, key = name.split(".")
        if name not in written and value != getattr(getattr(draft, section), key):
            setattr(draft, section, replace(getattr(draft, section), **{key: value}))

    lx, ly = draft.lattice.shape
    change("tracers.number", min(draft.tracers.number, lx * ly))
    if draft.tracers.number == 0:
        change("output.trajectory_every", 0.0)
    change("time.step", _step(draft, written))
    if draft.tracers.number > 0 and draft.time.clock == "steps":
        change("tracers.every", _steps_of_a_move(draft))
    for name, time in times_in_steps(draft.time, draft.initial, draft.output):
        # A time of annealing has no default, and too many steps are no matter of the nearest time.
        if name in written or name == "initial.annealing" or time > MOST_STEPS * draft.time.step:
            continue
        step = draft.time.step
        if whole_multiple(time, step) is None:
            change(name, float(f"{step * max(round(time / step), 1):.12g}"))
    return {name: getattr(draft, name) for name in sections}


def _steps_of_a_move(draft: Any) -> int:
    """Return after how many steps tracers move."""
    shortest = min(draft.model.restructuring_time, draft.model.relaxation_time)
    return max(1, math.floor(TIME_OF_A_MOVE * shortest * (1 + TOLERANCE) / draft.time.step))


def _step(draft: Any, written: Collection[str]) -> float:
    """Return the longest step, a whole part of the default, that the rates and times allow."""
    longest = LARGEST_RATE_STEP * shortest_time(draft.model)[0] * (1 + TOLERANCE)
    if draft.time.clock == "exact":  # it takes any
        longest = math.inf
    coarsest = max(1, math.ceil(draft.time.step / longest))
    times = [
        time
        for name, time in times_in_steps(draft.time, draft.initial, draft.output)
        if name in written or name == "initial.annealing"
    ]
    for parts in range(coarsest, coarsest * FINEST + 1):
        step = draft.time.step / parts
        if all(whole_multiple(time, step) is not None for time in times):
            return step
    return draft.time.step / coarsest  # what does not suit is told by the checks
