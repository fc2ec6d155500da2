"""Time of an instantaneous event of the exact clock, and what it is made of.

    python -m benchmarks.jumps --sizes 128 1024 --temperatures 0.04
    python -m benchmarks.jumps --sizes 128 --barrier 1.5 --orientation random --csv FILE

Each lattice first takes one event a site, or as many as fit into the time for that; then turns of
events, with the flushes that they need.  Candidates: tiles brought up to date until one is an
event.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.rows import append
from epmpi.config import from_mapping
from epmpi.model.model import Model


def made(options: argparse.Namespace, length: int, temperature: float) -> Model:
    """Return a model at constant stress, from a Gaussian stress."""
    model: dict[str, Any] = {
        "events": "instantaneous",
        "residual_scale": options.residual_scale,
        "barrier": options.barrier,
        "orientation": options.orientation,
        "activation": options.activation,
        "temperature": temperature,
    }
    if options.threshold_deviation:
        model |= {"thresholds": "normal", "threshold_deviation": options.threshold_deviation}
    settings: dict[str, dict[str, Any]] = {
        "lattice": {"shape": [length, length]},
        "model": model,
        "propagator": {"macroscopic": "stress"},
        "initial": {"state": "gaussian", "stress_deviation": 0.3},
        "tracers": {"number": 0},
        "time": {"clock": "exact", "step": 1.0},
        "output": {"trajectory_every": 0.0, "series_every": 0.0},
    }
    return Model(from_mapping(settings))


def follow(model: Model, seconds: float, most: float = float("inf")) -> tuple[float, float, float]:
    """Follow events for about so long, or so many; return seconds, events and candidates."""
    clock: Any = model.clock
    engine = clock._engine
    start, spent = time.perf_counter(), 0.0
    before, candidates = model.observables()["events"], int(engine.progress["candidate"])
    events, ticks = 0.0, 1
    while spent < seconds and events < most:
        model.advance(model.step_count + ticks)
        ticks = min(2 * ticks, 10**9) if spent < seconds / 4 else ticks
        spent, events = time.perf_counter() - start, model.observables()["events"] - before
    return spent, events, int(engine.progress["candidate"]) - candidates


def measure(options: argparse.Namespace, length: int, temperature: float) -> dict[str, Any]:
    """Measure one lattice at one temperature."""
    model = made(options, length, temperature)
    follow(model, options.warmup, length**2)
    turns = [follow(model, options.seconds) for _ in range(options.rounds)]
    per_event = statistics.median(seconds / events for seconds, events, _ in turns)
    events = sum(turn[1] for turn in turns)
    return {
        "L": length,
        "T": temperature,
        "activation": options.activation,
        "barrier": options.barrier,
        "orientation": options.orientation,
        "threshold_deviation": options.threshold_deviation,
        "us_per_event": float(f"{1e6 * per_event:.4g}"),
        "events_per_second": float(f"{1 / per_event:.4g}"),
        "candidates_per_event": round(sum(turn[2] for turn in turns) / events, 2),
    }


def barrier(text: str) -> float | str:
    """Return the key `model.barrier` from a word."""
    return text if text == "quadratic" else float(text)


def main() -> None:
    """Print one row for each size and temperature; append it to a CSV file if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 1024])
    parser.add_argument("--temperatures", type=float, nargs="+", default=[0.04])
    parser.add_argument("--activation", default="thermal", choices=("thermal", "extremal"))
    parser.add_argument("--barrier", type=barrier, default="quadratic")
    parser.add_argument("--orientation", default="fixed", choices=("fixed", "random"))
    parser.add_argument("--residual-scale", type=float, default=1.0)
    parser.add_argument("--threshold-deviation", type=float, default=0.0,
                        help="of normal thresholds; 0: all are 1")  # fmt: skip
    parser.add_argument("--warmup", type=float, default=5.0, help="seconds, at most")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a turn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--csv", type=Path, help="append the rows to this file")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for length in options.sizes:
        for temperature in options.temperatures:
            row = measure(options, length, temperature)
            print("  ".join(f"{name}={value}" for name, value in row.items()), flush=True)
            if options.csv is not None:
                append(row, options.csv)


if __name__ == "__main__":
    main()
