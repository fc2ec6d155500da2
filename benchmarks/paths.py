"""Error of the paths of tracers that move now and then, against moves after every event.

    python -m benchmarks.paths

The exact clock gives the same events whatever the tracers do (`tests/exact`), so that runs differ
in the moves alone.  Printed: the root mean square distance between the ends of two paths, over the
mean length of a path (of 64 chords), and the mean square displacement against that of the other.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.config import from_mapping
from epmpi.model.exact import clock
from epmpi.model.model import Model

TRACERS, CHORDS, TICK = 1024, 64, 0.5
CASES = ((0.05, 2000.0, 1024.0), (0.1, 100.0, 32.0))  # T; tau before, and of the paths


def paths(length: int, temperature: float, before: float, time: float) -> NDArray[np.float64]:
    """Return the positions of all tracers at the ends of the chords, (CHORDS + 1, TRACERS, 2)."""
    settings: dict[str, dict[str, Any]] = {
        "lattice": {"shape": [length, length]},
        "model": {"temperature": temperature},
        "initial": {"state": "gaussian", "stress_deviation": 0.25},
        "tracers": {"number": TRACERS},
        "time": {"clock": "exact", "step": TICK, "warmup": before, "duration": time},
    }
    model = Model(from_mapping(settings))
    found = []
    for part in range(CHORDS + 1):
        target = round((before + time * part / CHORDS) / TICK)
        while model.step_count < target:
            model.advance(target)
        model.clock.place_tracers()
        found.append(model.tracers.position[np.argsort(model.tracers.identity)])
    return np.array(found)


def main() -> None:
    """Print a line for each temperature and number of sites per move."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--sites-per-move", type=int, nargs="+", default=[2048, 512, 128],
                        help="tracers move when one site in so many has had an event")  # fmt: skip
    options = parser.parse_args()
    usual = clock.SITES_PER_MOVE
    for temperature, before, time in CASES:
        clock.SITES_PER_MOVE = options.size**2
        exact = paths(options.size, temperature, before, time)
        path = np.linalg.norm(np.diff(exact, axis=0), axis=2).sum(axis=0).mean()
        for sites in options.sites_per_move:
            clock.SITES_PER_MOVE = sites
            found = paths(options.size, temperature, before, time)
            moved, expected = found[-1] - found[0], exact[-1] - exact[0]
            error = np.sqrt(((moved - expected) ** 2).sum(axis=1).mean()) / path
            ratio = (moved**2).sum() / (expected**2).sum()
            print(
                f"L={options.size}  T={temperature}  t={time:g}  sites_per_move={sites}  "
                f"error={error:.2g}  msd_ratio={ratio:.6f}",
                flush=True,
            )
    clock.SITES_PER_MOVE = usual


if __name__ == "__main__":
    main()
