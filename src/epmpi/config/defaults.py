"""Defaults that are adapted to the keys that are set, where the two conflict.

A default never makes a configuration invalid, nor changes a key that is set.  A number is replaced
by the nearest valid value; a choice by the one that has the key which is set: `model.activity`
makes the model random, a log of events takes the exact clock.  What is adapted is named at the
start of a run.  Numbers that have no default are still asked for: the `model.activity` of a random
model, the deviation of a Gaussian start.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
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
from epmpi.config.event_checks import ONLY_INSTANTANEOUS

# Time between two moves of tracers, over the shorter time of an event, up to a temperature of HOT
# and above it: paths are as accurate as by Euler's rule every 0.05, or more (docs/model.md).
HOT = 0.1
TIME_OF_A_MOVE, TIME_OF_A_HOT_MOVE = 0.5, 0.3
# Choices, and the keys that only they have.
CHOICES = (
    ("model.activation", "random", ("model.activity",)),
    ("model.thresholds", "normal", ("model.threshold_deviation",)),
    ("model.events", "instantaneous", tuple(f"model.{name}" for name in ONLY_INSTANTANEOUS)),
    ("initial.state", "gaussian", ("initial.stress_deviation", "initial.drawn")),
)
FINEST = 10  # largest factor by which the default step is divided to fit a time that is set


def written_keys(sections: dict[str, Any]) -> frozenset[str]:
    """Return the keys, section.key, whose value is not the default."""
    return frozenset(
        f"{name}.{item.name}"
        for name, section in sections.items()
        for item in fields(section)
        if getattr(section, item.name) != item.default
    )


def adapt(sections: dict[str, Any], written: Collection[str]) -> dict[str, Any]:
    """Return the sections with defaults adapted to the keys that are set.

    Parameters
    ----------
    sections : dict
        Each valid separately.
    written : collection of str
        The keys section.key that are set and must not change.
    """
    draft: Any = SimpleNamespace(**sections)

    def change(name: str, value: Any) -> None:
        section, key = name.split(".")
        if name not in written and value != getattr(getattr(draft, section), key):
            setattr(draft, section, replace(getattr(draft, section), **{key: value}))

    for name, value, keys in CHOICES:
        if any(_is_set(draft, key) for key in keys):
            change(name, value)
    if draft.model.activation == "extremal":
        change("model.events", "instantaneous")
    if draft.output.events or draft.model.events == "instantaneous":
        change("time.clock", "exact")
    lx, ly = draft.lattice.shape
    followed = draft.model.orientation != "random"  # events that tracers can follow
    change("tracers.number", min(draft.tracers.number, lx * ly) if followed else 0)
    if draft.tracers.number == 0:
        change("output.trajectory_every", 0.0)
    change("time.step", _step(draft, written))
    if draft.tracers.number > 0 and draft.time.clock == "steps":
        change("tracers.every", _steps_of_a_move(draft))
    for name, time in times_in_steps(draft.time, draft.initial, draft.output):
        # Annealing times have no default; too many steps need more than the nearest multiple.
        if name in written or name == "initial.annealing" or time > MOST_STEPS * draft.time.step:
            continue
        step = draft.time.step
        if whole_multiple(time, step) is None:
            change(name, float(f"{step * max(round(time / step), 1):.12g}"))
    return {name: getattr(draft, name) for name in sections}


def explained(fault: str, adapted: Iterable[str]) -> str:
    """Return an error with the keys in it that were adapted, since the user has not set them.

    Parameters
    ----------
    fault : str
        Contains ``section.key = value`` for each key.
    adapted : iterable of str
        Texts ``section.key = value (default value)``.
    """
    setting = re.compile(r"(\S+) = (\S+)")
    found = [match for text in adapted if (match := setting.match(text)) and match[0] in fault]
    names = ", ".join(match[1] for match in found)
    return f"{fault} (not set, but adapted to the keys that are: {names})" if names else fault


def _is_set(draft: Any, name: str) -> bool:
    """Tell whether a key section.key has another value than its default."""
    section, key = name.split(".")
    settings = getattr(draft, section)
    return bool(getattr(settings, key) != getattr(type(settings)(), key))


def _steps_of_a_move(draft: Any) -> int:
    """Return the number of steps between two moves of tracers."""
    model = draft.model
    # The random model may be as active as a hot one.
    hot = model.temperature > HOT or model.activation == "random"
    longest = TIME_OF_A_HOT_MOVE if hot else TIME_OF_A_MOVE
    longest *= min(model.restructuring_time, model.relaxation_time)
    return max(1, math.floor(longest * (1 + TOLERANCE) / draft.time.step))


def _step(draft: Any, written: Collection[str]) -> float:
    """Return the longest step, a whole part of the default, that the rates and times allow."""
    longest = LARGEST_RATE_STEP * shortest_time(draft.model)[0] * (1 + TOLERANCE)
    if draft.time.clock == "exact":  # any step is valid
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
    return draft.time.step / coarsest  # the checks report what does not fit
