"""Resident memory of a run, per site, beside what a dry run promises, and the time of its start.

    python -m benchmarks.memory --size 4096
    python -m benchmarks.memory --size 32768 --device gpu

One process a case: the peak of a process never falls; it counts memory that ranks share in each of
them. `together` is what all ranks hold after the steps, shared memory once (Linux). On a GPU: the
card's memory that is gone after some steps, with the work areas of cuFFT and what its libraries
hold.
"""

from __future__ import annotations

import argparse
import re
import resource
import time
from pathlib import Path

from epmpi.config import from_mapping
from epmpi.model.model import Model
from epmpi.parallel import Communicator
from epmpi.parallel.placement import place
from epmpi.run.planning import array_bytes

PAGES = Path("/proc/self/smaps_rollup")


def share_of_memory() -> int:
    """Return the resident bytes of this process; of shared pages, its share (0 if not known)."""
    if not PAGES.exists():
        return 0
    found = re.search(r"^Pss: +(\d+) kB", PAGES.read_text(), re.MULTILINE)
    return 1024 * int(found[1]) if found else 0


def main() -> None:
    """Print one line: peak and arrays, in bytes a site of this rank's slab."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--tracers", type=int, default=16, help="one tracer on so many sites")
    parser.add_argument("--precision", default="double", choices=["double", "single"])
    parser.add_argument("--device", default="cpu", choices=["cpu", "gpu"])
    parser.add_argument("--steps", type=int, default=3)
    options = parser.parse_args()
    number = options.size**2 // options.tracers if options.tracers else 0
    configuration = from_mapping(
        {
            "lattice": {"shape": [options.size, options.size]},
            "tracers": {"number": number},
            "output": {"trajectory_every": 0.0},
            "run": {"precision": options.precision},
        }
    )
    communicator = Communicator.world()
    device = place(options.device, communicator)
    free = device.free_bytes()
    begun = time.perf_counter()
    model = Model(configuration, communicator, device)
    device.synchronize()
    start = time.perf_counter() - begun
    for _ in range(options.steps):
        model.step()
    sites = model.slab.rows * model.lattice.shape[1]
    device.synchronize()
    if free is None:
        peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    else:
        peak = free - (device.free_bytes() or 0)
    together = communicator.sum(share_of_memory())
    if communicator.is_root:
        arrays = array_bytes(configuration, communicator.size, device)
        print(
            f"L={options.size} tracers={number} precision={options.precision} "
            f"device={device.name} ranks={communicator.size} peak={peak / sites:.1f} B/site "
            f"arrays={arrays / sites:.1f} B/site together={together / options.size**2:.1f} B/site "
            f"start={start:.2f} s"
        )


if __name__ == "__main__":
    main()
