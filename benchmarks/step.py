"""Time of a step, split by stage, beside a hand-written peer.

    python -m benchmarks.step --sizes 1024 --tracers 0 16 --peer
    mpiexec -n 2 python -m benchmarks.step --sizes 1024 2048

The two programs alternate, a round each, and medians over the rounds are compared: single timings
vary by tens of percent on a shared machine, their ratio in one run much less.

On a GPU (`--device gpu`) the time of a step is that of its recording; what each stage asks for in a
step is recorded alone, and replayed. `rest` is the difference.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Protocol

from benchmarks.numpy_peer import NumpyPeer
from benchmarks.peer import SOURCE, Peer
from benchmarks.rows import append
from benchmarks.stages import (
    STAGES,
    Stopwatch,
    timed_communicator,
    timed_device,
    timed_exchanges,
)
from epmpi.config import from_mapping
from epmpi.model.model import Model

COLUMNS = [*STAGES, "rest"]


class Yardstick(Protocol):
    """Another program of the same step."""

    def step_seconds(
        self, length: int, temperature: float, time_step: float, steps: int, warm: int, tracers: int
    ) -> tuple[float, float]:
        """Return seconds a step and the mean activity."""
        ...


def measure(
    options: argparse.Namespace, length: int, fraction: int, peers: dict[str, Yardstick]
) -> dict:
    """Measure one lattice size and tracer density.  Collective."""
    number = length * length // fraction if fraction else 0
    configuration = from_mapping(
        {
            "lattice": {"shape": [length, length]},
            "model": {"temperature": options.temperature},
            "tracers": {
                "number": number,
                "interpolation": options.interpolation,
                "every": options.every,
            },
            "time": {"step": options.time_step},
            "output": {"trajectory_every": 0.0},
            "run": {"precision": options.precision, "fft": options.fft},
        }
    )
    watch = Stopwatch()
    communicator = timed_communicator(watch)
    model = Model(
        configuration, communicator, timed_device(options.device, watch, not options.split)
    )
    for _ in range(options.warmup):
        model.step()
    ours, stages = [], []
    theirs: dict[str, list[float]] = {name: [] for name in peers}
    activity: dict[str, float] = {}
    with timed_exchanges(watch):
        for _ in range(options.rounds):
            communicator.barrier()
            watch.running = watch.harmless
            ours.append(step_seconds(model, watch, options.steps))
            watch.running = False
            stages.append(
                {stage: spent / options.steps for stage, spent in watch.collect().items()}
            )
            for name, peer in peers.items():
                seconds, activity[name] = peer.step_seconds(
                    length,
                    options.temperature,
                    options.time_step,
                    options.steps,
                    options.warmup,
                    number,
                )
                theirs[name].append(seconds)
    seen = round(model.observables().get("activity", 0.0), 5)
    if not watch.harmless:
        stages = [watch.replayed(model.step)]
    median = statistics.median(ours)
    split = {name: statistics.median(s.get(name, 0.0) for s in stages) for name in COLUMNS[:-1]}
    split["rest"] = median - sum(split.values())
    result = {
        "L": length,
        "tracers": number,
        "interpolation": options.interpolation if number else "-",
        "every": options.every if number else 0,
        "precision": options.precision,
        "device": model.device.name,
        "fft": model.fft.engine,
        "ranks": communicator.size,
        "activity": seen,
        "ms_per_step": round(1e3 * median, 3),
        "ns_per_site": round(1e9 * median / length**2, 2),
        **{name.replace(" ", "_"): round(1e9 * split[name] / length**2, 2) for name in COLUMNS},
    }
    for name, seconds_of in theirs.items():
        result[f"{name}_ms"] = round(1e3 * statistics.median(seconds_of), 3)
        result[f"{name}_activity"] = round(activity[name], 5)
        ratios = [a / b for a, b in zip(ours, seconds_of, strict=True)]
        result[f"of_{name}"] = round(statistics.median(ratios), 3)
    return result


def step_seconds(model: Model, watch: Stopwatch, steps: int) -> float:
    """Return the seconds of a step, waited for at the end.  Collective."""
    watch.wait()
    start = time.perf_counter()
    for _ in range(steps):
        model.step()
    watch.wait()
    return (time.perf_counter() - start) / steps


def main() -> None:
    """Print one table; append it to a CSV file if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--tracers", type=int, nargs="+", default=[0, 16],
                        help="one tracer on so many sites; 0: none")  # fmt: skip
    parser.add_argument("--interpolation", default="bilinear")
    parser.add_argument("--every", type=int, default=1,
                        help="steps from move to move; the peers move in each")  # fmt: skip
    parser.add_argument("--precision", default="double", choices=["double", "single"])
    parser.add_argument("--device", default="cpu", choices=["auto", "cpu", "gpu"])
    parser.add_argument("--fft", default="auto")
    parser.add_argument("--split", action="store_true",
                        help="passes over rows block by block: slower, timed by stage")  # fmt: skip
    parser.add_argument("--temperature", type=float, default=0.1)
    parser.add_argument("--time-step", type=float, default=0.05)
    parser.add_argument("--warmup", type=int, default=400, help="steps before the first round")
    parser.add_argument("--steps", type=int, default=40, help="steps of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer", type=Path, nargs="?", const=SOURCE,
                        help="beside epm_ref.cpp or this C++ source, on one rank")  # fmt: skip
    parser.add_argument("--numpy", action="store_true", help="beside benchmarks/numpy_peer.py too")
    parser.add_argument("--csv", type=Path, help="append the rows to this file")
    options = parser.parse_args()
    peers: dict[str, Yardstick] = {"peer": Peer(options.peer)} if options.peer else {}
    if options.numpy:
        peers["numpy"] = NumpyPeer()
    for length in options.sizes:
        for fraction in options.tracers:
            row = measure(options, length, fraction, peers)
            if timed_communicator(Stopwatch()).is_root:
                report(row, options.csv)


def report(row: dict, file: Path | None) -> None:
    """Print a row; append it to a CSV file."""
    print("  ".join(f"{name}={value}" for name, value in row.items()), flush=True)
    if file is not None:
        append(row, file)


if __name__ == "__main__":
    main()
