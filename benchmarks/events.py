"""Time of an event of the exact clock, and of a unit of time beside the steps clock.

    python -m benchmarks.events --sizes 64 128 256 --temperatures 0.1 0.07 0.05 0.04
    python -m benchmarks.events --sizes 256 --tracers 16 --csv benchmarks/results/events.csv
    mpiexec -n 2 python -m benchmarks.events --sizes 256 512 1024 --temperatures 0.04

The smallest lattice cools to each temperature; larger ones begin with copies of the stress of the
one before.  Then the two clocks take turns on one core, from the same stress: the exact clock for
about a second, and the steps clock for as long.  What is compared is the wall time of a unit of
time, tau, in the median over the rounds: `gain` for steps of 0.05, and `gain_0.2` for longer ones,
whose step costs the same.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rows import append
from epmpi.config import from_mapping
from epmpi.model.model import Model
from epmpi.parallel import Communicator

STEP = 0.05
# Temperatures that the smallest lattice comes through, and for how long in tau.
COOLING = (
    (0.2, 20.0), (0.1, 100.0), (0.07, 500.0), (0.06, 2e3), (0.05, 2e4), (0.045, 6e4), (0.04, 2e5),
    (0.035, 2e6),
)  # fmt: skip


def made(clock: str, length: int, tracers: int, tick: float, temperature: float) -> Model:
    """Return a model that has a Gaussian stress and no events yet."""
    settings: dict[str, dict[str, Any]] = {
        "lattice": {"shape": [length, length]},
        "model": {"temperature": temperature},
        "tracers": {"number": tracers},
        "time": {"clock": clock, "step": tick},
        "output": {"trajectory_every": 0.0, "series_every": 0.0},
        "initial": {"state": "gaussian", "stress_deviation": 0.28},
    }
    return Model(from_mapping(settings))


def follow(model: Model, seconds: float, longest: float = float("inf")) -> tuple[float, float]:
    """Advance for about a number of seconds, or a time; return wall time and time.  Collective."""
    start, began, spent = time.perf_counter(), model.time, 0.0
    ticks = 1
    while spent < seconds and model.time - began < longest:
        model.advance(model.step_count + ticks)
        ticks = min(2 * ticks, 10**9) if spent < seconds / 4 else ticks
        spent = model.communicator.broadcast(time.perf_counter() - start)
    return spent, model.time - began


def take_steps(model: Model, seconds: float) -> float:
    """Take steps for about a number of seconds; return the seconds of one.  Collective."""
    start, taken, spent = time.perf_counter(), 0, 0.0
    while spent < seconds:
        model.step()
        taken += 1
        spent = model.communicator.broadcast(time.perf_counter() - start)
    return spent / taken


def observed(model: Model) -> dict[str, float]:
    """Return the observables, on all ranks.  Collective."""
    found: dict[str, float] = model.communicator.broadcast(model.observables())
    return found


def cool(model: Model, temperature: float, seconds: float) -> None:
    """Bring a model from the start to a temperature, for so long at most at each on the way."""
    for warmer, duration in COOLING:
        if warmer > temperature:
            model.activation.set_temperature(warmer)
            follow(model, seconds, duration)
    model.activation.set_temperature(temperature)


def prepare(model: Model, temperature: float, smaller: np.ndarray | None, seconds: float) -> None:
    """Bring a model to a temperature: by copies of a smaller lattice's stress, or by cooling."""
    if smaller is None:
        cool(model, temperature, seconds)
    else:
        copies = [n // m for n, m in zip(model.lattice.shape, smaller.shape, strict=True)]
        mine = np.tile(smaller, copies)[model.slab.start : model.slab.stop]
        model.activation.set_temperature(temperature)
        model.set_fields(mine, np.zeros(model.slab.shape, np.int8))
    follow(model, seconds)


def measure(options: argparse.Namespace, exact: Model, steps: Model, temperature: float) -> dict:
    """Measure both clocks at a temperature, in turns."""
    length = exact.lattice.shape[0]
    steps.activation.set_temperature(temperature)
    steps.set_fields(exact.stress.copy(), exact.active.copy())
    steps.step()
    per_event, per_time, per_step, activity, rates = [], [], [], [], []
    for _ in range(options.rounds):
        before = observed(exact)
        seconds, duration = follow(exact, options.seconds)
        after = observed(exact)
        events = after["events"] - before["events"]
        active = after["active_time"] - before["active_time"]
        per_event.append(seconds / max(events, 1))
        per_time.append(seconds / duration)
        activity.append(active / duration / exact.lattice.sites)
        rates.append(events / duration)
        per_step.append(take_steps(steps, options.seconds))
    gain = statistics.median(a / STEP / b for a, b in zip(per_step, per_time, strict=True))
    return {
        "L": length,
        "T": temperature,
        "ranks": exact.communicator.size,
        "tracers": exact.tracers.number,
        "activity": float(f"{statistics.mean(activity):.4g}"),
        "events_per_tau": float(f"{statistics.mean(rates):.4g}"),
        "us_per_event": round(1e6 * statistics.median(per_event), 2),
        "ns_per_site_and_step": round(1e9 * statistics.median(per_step) / length**2, 2),
        "gain": float(f"{gain:.3g}"),
        "gain_0.2": float(f"{gain / 4:.3g}"),
    }


def main() -> None:
    """Print one row for each size and temperature; append it to a CSV file if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--temperatures", type=float, nargs="+", default=[0.1, 0.07, 0.05, 0.04])
    parser.add_argument("--tracers", type=int, default=0,
                        help="one tracer on so many sites; 0: none")  # fmt: skip
    parser.add_argument("--tick", type=float, default=1.0, help="of the exact clock, in tau")
    parser.add_argument("--warmup", type=float, default=5.0,
                        help="seconds, at most at each temperature on the way")  # fmt: skip
    parser.add_argument("--seconds", type=float, default=1.0, help="of a turn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--csv", type=Path, help="append the rows to this file")
    options = parser.parse_args()
    if Communicator.world().size == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    stress: dict[float, np.ndarray] = {}
    for length in sorted(options.sizes):
        number = length * length // options.tracers if options.tracers else 0
        steps = made("steps", length, number, STEP, max(options.temperatures))
        for temperature in sorted(options.temperatures, reverse=True):
            exact = made("exact", length, number, options.tick, temperature)
            prepare(exact, temperature, stress.get(temperature), options.warmup)
            row = measure(options, exact, steps, temperature)
            whole = exact.communicator.gather_everywhere(exact.stress.reshape(-1))
            stress[temperature] = whole.reshape(exact.lattice.shape)
            if not exact.communicator.is_root:
                continue
            print("  ".join(f"{name}={value}" for name, value in row.items()), flush=True)
            if options.csv is not None:
                append(row, options.csv)


if __name__ == "__main__":
    main()
