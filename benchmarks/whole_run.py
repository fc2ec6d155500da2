"""Price of tracers in a step, and of everything else in a run, in turns.

    python -m benchmarks.whole_run --size 1024 --every 5

Printed: the time of a step without and with N/16 tracers, and the median of their ratios; and what
a step takes in a run with frames and series every 10 steps, over that of the step alone.  Both are
medians over windows of 20 steps, of a run and then of as many steps alone, so that what disturbs
one window does not count.  `rest_s` is what the run takes beside these steps: its start, its end
and the checkpoints.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from epmpi.config import Configuration, from_mapping
from epmpi.model.model import Model
from epmpi.run.simulation import Simulation

STEP, FRAMES = 0.1, 1.0  # tau
WINDOW = 20  # steps


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


def window_seconds(model: Model, windows: int) -> list[float]:
    """Return the seconds of a step in each window of steps alone."""
    return [step_seconds(model, WINDOW) for _ in range(windows)]


def run_seconds(options: argparse.Namespace, windows: int) -> tuple[list[float], float]:
    """Return the seconds of a step in each window of a run with tracers, and the rest's."""
    simulation = Simulation(settings(options, 16, windows * WINDOW))
    with tempfile.TemporaryDirectory() as folder:
        times: list[float] = []
        start = time.perf_counter()
        simulation.run(
            Path(folder) / "run",
            progress=False,
            every=WINDOW * STEP,
            call=lambda moment: times.append(time.perf_counter()),
        )
        whole = time.perf_counter() - start
    found = [(end - begin) / WINDOW for begin, end in pairwise(times)]
    return found, whole - (options.warmup + windows * WINDOW) * statistics.median(found)


def main() -> None:
    """Print a line of steps, one of each run and the median of their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--temperature", type=float, default=0.1)
    parser.add_argument("--every", type=int, default=5, help="steps from move to move")
    parser.add_argument("--warmup", type=int, default=200, help="steps before anything counts")
    parser.add_argument("--steps", type=int, default=40, help="steps of a round")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--runs", type=int, default=8, help="runs, with steps alone between them")
    parser.add_argument("--windows", type=int, default=25, help=f"of {WINDOW} steps, of a run")
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
    run_seconds(options, 2)  # loads what only runs need
    ratios = []
    for _ in range(options.runs):
        in_a_run, rest = run_seconds(options, options.windows)
        alone = window_seconds(moving, options.windows)
        a_step, step = statistics.median(in_a_run), statistics.median(alone)
        ratios.append(a_step / step)
        print(f"L={options.size}  in_a_run={1e3 * a_step:.3f}  alone={1e3 * step:.3f}  "
              f"ratio={ratios[-1]:.3f}  rest_s={rest:.2f}", flush=True)  # fmt: skip
    print(f"L={options.size}  runs={options.runs}  median_ratio={statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
