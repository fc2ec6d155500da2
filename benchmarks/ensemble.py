"""Time of an ensemble on some ranks, beside its replicas run one after another on all of them.

    python -m benchmarks.ensemble --length 128 --replicas 8 --ranks 2

The two alternate, medians over the rounds.  `command` is the time of the commands, with the start
of Python and MPI; `inside` the wall time that the runs tell of themselves, so that only the
difference in speed counts.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py

from epmpi.campaign.runs import mpiexec
from epmpi.config import Configuration, from_mapping, replica_name


def run(file: Path, output: Path, ranks: int) -> float:
    """Run a configuration; return the seconds of the command."""
    command = [*mpiexec(), "-n", str(ranks), sys.executable, "-m", "epmpi.cli", "run"]
    start = time.perf_counter()
    subprocess.run([*command, str(file), "-o", str(output)], check=True, capture_output=True)
    return time.perf_counter() - start


def wall_time(output: Path) -> float:
    """Return the seconds that a run says it took."""
    with h5py.File(output / "run.h5") as file:
        return float(file["parameters"].attrs["wall_time"])


def together(configuration: Configuration, folder: Path, ranks: int) -> tuple[float, float]:
    """Run the ensemble; return the seconds of the command, and inside of the slowest rank."""
    (folder / "ensemble.toml").write_text(configuration.to_toml())
    command = run(folder / "ensemble.toml", folder / "ensemble", ranks)
    inside = [
        wall_time(folder / "ensemble" / replica_name(number))
        for number in range(configuration.run.replicas)
    ]
    groups = min(ranks, len(inside))
    return command, max(sum(inside[group::groups]) for group in range(groups))


def apart(configuration: Configuration, folder: Path, ranks: int) -> tuple[float, float]:
    """Run the replicas one after another, each on all ranks; return the sums of both times."""
    commands, inside = [], []
    for number in range(configuration.run.replicas):
        file = folder / f"{number}.toml"
        file.write_text(configuration.replica(number).to_toml())
        commands.append(run(file, folder / f"{number}", ranks))
        inside.append(wall_time(folder / f"{number}"))
    return sum(commands), sum(inside)


def main() -> None:
    """Print both times and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--replicas", type=int, default=8)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--fraction", type=int, default=0, help="one tracer on so many; 0: none")
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    length, step = options.length, 0.05
    number = length**2 // options.fraction if options.fraction else 0
    configuration = from_mapping(
        {
            "lattice": {"shape": [length, length]},
            "tracers": {"number": number},
            "time": {"step": step, "warmup": 0.0, "duration": options.steps * step},
            "output": {"trajectory_every": 1.0 if number else 0.0},
            "run": {"replicas": options.replicas, "device": "cpu"},
        }
    )
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "warm.toml").write_text(configuration.replica(0).to_toml())
        run(Path(directory) / "warm.toml", Path(directory) / "warm", options.ranks)  # compiles
    ratios: dict[str, list[float]] = {"command": [], "inside": []}
    print(f"L {length}, {number} tracers, {options.steps} steps, {options.ranks} ranks; seconds:")
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as directory:
            one = together(configuration, Path(directory), options.ranks)
            other = apart(configuration, Path(directory), options.ranks)
        for what, left, right in zip(ratios, one, other, strict=True):
            ratios[what].append(right / left)
            print(f"{what:8} ensemble {left:.2f}  one by one {right:.2f}  {right / left:.2f}")
    for what, found in ratios.items():
        print(f"{what:8} ensemble is {statistics.median(found):.2f} times as fast (median)")


if __name__ == "__main__":
    main()
