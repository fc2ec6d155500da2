"""Peak memory of `epmpi analyse` against the length of the trajectory.

    python -m benchmarks.analysis --frames 500 2000 8000 --tracers 5000

Each run file holds Brownian tracers and stress fields of independent numbers, as many frames of
both, written by the package's own store.  The analysis is a process of its own, of which the kernel
tells the peak of the resident memory; the trajectory beside it is what it would be in memory.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from epmpi.config import from_mapping
from epmpi.output import open_run
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice

MEBIBYTE = 2**20
STEPS = 20  # between frames: they are 1 tau apart
KICK = 0.05  # lattice spacings, of each component between frames
ROW = "{:>7} {:>8} {:>12} {:>8} {:>9}"


def write_walkers(directory: Path, frames: int, tracers: int, length: int) -> None:
    """Write a run file of so many frames; one frame is in memory at a time."""
    configuration = from_mapping(
        {"lattice": {"shape": [length, length]}, "tracers": {"number": tracers}}
    )
    lattice = Lattice(configuration.lattice.shape)
    random = np.random.default_rng(1)
    identity = np.arange(tracers)
    position = random.uniform(0, length, (tracers, 2))
    with open_run(directory, configuration, Communicator.world(), lattice, {}) as store:
        for frame in range(frames):
            clock = frame * STEPS, frame * STEPS * configuration.time.step
            store.trajectory(*clock, identity, position)
            store.fields(*clock, {"stress": random.normal(0, 0.3, lattice.shape)})
            store.series(*clock, {"activity": random.uniform()})
            position += random.normal(0, KICK, position.shape)


def peak_of_analysis(directory: Path) -> int:
    """Return the peak resident bytes of `epmpi analyse` on a run."""
    child = subprocess.Popen(
        [sys.executable, "-m", "epmpi.cli", "analyse", str(directory)], stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"epmpi analyse {directory} failed")
    return 1024 * usage.ru_maxrss


def main() -> None:
    """Print one row for each number of frames."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--frames", type=int, nargs="+", default=[500, 2000, 8000])
    parser.add_argument("--tracers", type=int, default=5000)
    parser.add_argument("--length", type=int, default=72, help="of the lattice, of the fields")
    parser.add_argument("--directory", help="of the run files, which are removed again")
    options = parser.parse_args()
    print(ROW.format("frames", "tracers", "trajectory", "fields", "peak"), "(MiB)")
    for frames in options.frames:
        with tempfile.TemporaryDirectory(dir=options.directory) as scratch:
            run = Path(scratch) / "run"
            write_walkers(run, frames, options.tracers, options.length)
            peak = peak_of_analysis(run)
        sizes = (16 * frames * options.tracers, 8 * frames * options.length**2, peak)
        row = (f"{size / MEBIBYTE:.0f}" for size in sizes)
        print(ROW.format(frames, options.tracers, *row), flush=True)


if __name__ == "__main__":
    main()
