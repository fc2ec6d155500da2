"""Speed of the output, beside a plain write of the same bytes in the same run.

    python -m benchmarks.output --sizes 1024 4096
    mpiexec -n 2 python -m benchmarks.output --sizes 4096
    mpiexec -n 2 python -m benchmarks.output --writers stream parallel     (h5py built for MPI)

Rounds alternate between the plain write (the root, numpy's tofile, flushed to the disk) and what
is measured: as many frames as make about 256 MiB, 64 at most, then their publication, flushed to
the disk; medians are compared.  A checkpoint's cost is also told as a fraction of a run that writes
one every `checkpoint_every` seconds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from epmpi.config import Configuration, from_mapping
from epmpi.model.state import State
from epmpi.output import RunStore, open_run
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice, slabs, split

PUBLISHED, MOST_FRAMES = 2**28, 64  # bytes and frames of a publication
ROW = "{:>6} {:>6} {:>8} {:<11} {:>8} {:>8} {:>8} {:>7}"


def plain_write(directory: Path, size: int, communicator: Communicator) -> float:
    """Return the seconds that the root takes to write so many bytes to the disk.  Collective."""
    communicator.barrier()
    start = time.perf_counter()
    if communicator.is_root:
        data = np.ones(size // 8)
        start = time.perf_counter()
        path = directory / "plain"
        with open(path, "wb") as file:
            data.tofile(file)
            file.flush()
            os.fsync(file.fileno())
        seconds = time.perf_counter() - start
        path.unlink()
    else:
        seconds = 0.0
    return communicator.broadcast(seconds)


def timed(action: Callable[[], None], communicator: Communicator) -> float:
    """Return the seconds until the last rank has done something.  Collective."""
    communicator.barrier()
    start = time.perf_counter()
    action()
    communicator.barrier()
    return time.perf_counter() - start


class Fields:
    """Frames of stress, plastic strain and directions, tracers, and a state, of random numbers."""

    def __init__(self, configuration: Configuration, communicator: Communicator) -> None:
        lattice = Lattice(configuration.lattice.shape)
        slab = slabs(lattice, communicator.size)[communicator.rank]
        random = np.random.default_rng(communicator.rank)
        self.fields: dict[str, NDArray] = {
            "stress": random.normal(size=slab.shape),
            "plastic_strain": random.normal(size=slab.shape),
            "active": random.integers(-1, 2, slab.shape, dtype=np.int8),
        }
        number = configuration.tracers.number
        first, last = split(number, communicator.size)[communicator.rank]
        self.identity = np.arange(first, last)
        self.position = random.normal(size=(last - first, 2))
        self.bytes = {
            "fields": 17 * lattice.sites,
            "trajectory": 24 * number,
            "checkpoint": 17 * lattice.sites + 16 * number,
        }

    def frames(self, what: str) -> int:
        """Return how many frames are published at once."""
        many = round(PUBLISHED / self.bytes[what])
        return 1 if what == "checkpoint" else max(1, min(MOST_FRAMES, many))

    def write(self, what: str, store: RunStore, first: int) -> None:
        """Write frames from step `first` on, or a checkpoint, to the disk.  Collective."""
        if what == "checkpoint":
            counts = {"events": np.zeros((), np.int64)}
            state = State(first, self.fields, counts, self.identity, self.position)
            store.checkpoint(state, {})
            return
        for step in range(first, first + self.frames(what)):
            if what == "fields":
                store.fields(step, 1.0 * step, self.fields)
            else:
                store.trajectory(step, 1.0 * step, self.identity, self.position)
        store.publish()


def measure(length: int, writer: str, options: argparse.Namespace) -> None:
    """Measure one lattice size with one writer, and print its rows.  Collective."""
    communicator = Communicator.world()
    configuration = from_mapping(
        {
            "lattice": {"shape": [length, length]},
            "tracers": {"number": length * length // options.fraction},
            "output": {"writer": writer},
        }
    )
    data = Fields(configuration, communicator)
    made = tempfile.mkdtemp(dir=options.directory) if communicator.is_root else ""
    directory = Path(communicator.broadcast(made))
    lattice = Lattice(configuration.lattice.shape)
    try:
        with open_run(directory / "run", configuration, communicator, lattice, {}) as store:
            step = 0
            for what in data.bytes:
                size = data.bytes[what] * data.frames(what)
                ours, plain = [], []
                for _ in range(options.rounds + 1):
                    step += data.frames(what)
                    plain.append(plain_write(directory, size, communicator))
                    ours.append(timed(partial(data.write, what, store, step), communicator))
                # The first round makes the files and warms up.
                seconds, reference = statistics.median(ours[1:]), statistics.median(plain[1:])
                show(length, writer, what, size, seconds, reference, configuration, communicator)
    finally:
        communicator.barrier()
        if communicator.is_root:
            shutil.rmtree(directory)


def show(
    length: int,
    writer: str,
    what: str,
    size: int,
    seconds: float,
    reference: float,
    configuration: Configuration,
    communicator: Communicator,
) -> None:
    """Print a row of the table."""
    if not communicator.is_root:
        return
    of_run = seconds / (seconds + configuration.output.checkpoint_every)
    speeds = (f"{size / taken / 1e6:.0f}" for taken in (seconds, reference))
    ratio = f"{reference / seconds:.2f}"
    row = ROW.format(length, communicator.size, writer, what, f"{size / 2**20:.1f}", *speeds, ratio)
    print(row + (f"   {100 * of_run:.3f} % of a run" if what == "checkpoint" else ""), flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Speed of the output beside a plain write.")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 4096])
    parser.add_argument("--writers", nargs="+", default=["stream"], choices=["stream", "parallel"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--fraction", type=int, default=16, help="sites for each tracer")
    parser.add_argument("--directory", help="on the disk to measure (default: for temporary files)")
    options = parser.parse_args()
    if Communicator.world().is_root:
        names = ("L", "ranks", "writer", "what", "MiB", "MB/s", "plain", "ratio")
        print(ROW.format(*names))
    for length in options.sizes:
        for writer in options.writers:
            measure(length, writer, options)


if __name__ == "__main__":
    main()
