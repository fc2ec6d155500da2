"""Price of tracers in a step, and of everything else in a run, in turns.

    python -m benchmarks.whole_run --size 1024 --every 4

Printed: the time of a step without and with N/16 tracers, and the median of their ratios; and what
a step takes in a run with frames and series every 10 steps, over that of the step alone.  The time
of a run's steps is the difference of a longer and a shorter run: its start and its end, checkpoints
included, are `fixed`.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from epmpi.config import Configuration, from_mapping
from epmpi.model.model import Model
from epmpi.run.simulation import Simulation

STEP, FRAMES = 0.1, 1.0  # tau


def settings(options: argparse.Namespace, fraction: int, steps: int) -> Configuration:
    """Return the configuration of a run with one tracer on so many sites; 0 for none."""
    tracers: dict[str, Any] = {"number": options.size**2 // fraction if fraction else 0}
    if fraction:
        tracers["every"] = options.every
    mapping: dict[str, dict[str, Any]] = {
        "lattice": {"shape": [options.size, options.size]},
        "model": {"temperature": options.temperature},
        "tracers": tracers,
        "time": {"step": STEP, "warmup": options.warmup * STEP, "duration": steps * STEP},
        "output": {"series_every": FRAMES, "trajectory_every": FRAMES if fraction else 0.0},
    }
    return from_mapping(mapping)


def step_seconds(model: Model, steps: int) -> float:
    """Return the seconds of a step."""
    start = time.perf_counter()
    for _ in range(steps):
        model.step()
    return (time.perf_counter() - start) / steps


def run_seconds(options: argparse.Namespace, steps: int) -> float:
    """Return the seconds of a run with tracers, without making its model."""
    with tempfile.TemporaryDirectory() as folder:
        simulation = Simulation(settings(options, 16, steps))
        start = time.perf_counter()
        simulation.run(Path(folder) / "run", progress=False)
        return time.perf_counter() - start


def main() -> None:
    """Print two lines."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--temperature", type=float, default=0.1)
    parser.add_argument("--every", type=int, default=4, help="steps from move to move")
    parser.add_argument("--warmup", type=int, default=200, help="steps before anything counts")
    parser.add_argument("--steps", type=int, default=40, help="steps of a round")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--runs", type=int, default=3, help="pairs of runs")
    parser.add_argument("--longer", type=int, default=500, help="steps more of the longer run")
    options = parser.parse_args()
    plain, moving = (Model(settings(options, fraction, 100)) for fraction in (0, 16))
    for model in (plain, moving):
        step_seconds(model, options.warmup)
    rounds = [[step_seconds(model, options.steps) for model in (plain, moving)]
              for _ in range(options.rounds)]  # fmt: skip
    without, with_them = (1e3 * statistics.median(part) for part in zip(*rounds, strict=True))
    ratio = statistics.median(b / a for a, b in rounds)
    print(f"L={options.size}  T={options.temperature}  every={options.every}  "
          f"ms_per_step={without:.3f}  with_tracers={with_them:.3f}  ratio={ratio:.3f}",
          flush=True)  # fmt: skip
    run_seconds(options, 1)  # loads what only runs need
    for _ in range(options.runs):
        short, long = (run_seconds(options, 100 + more) for more in (0, options.longer))
        alone = step_seconds(moving, 5 * options.steps)
        a_step = (long - short) / options.longer
        fixed = short - (100 + options.warmup) * a_step
        print(f"L={options.size}  in_a_run={1e3 * a_step:.3f}  alone={1e3 * alone:.3f}  "
              f"ratio={a_step / alone:.3f}  fixed_s={fixed:.2f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
