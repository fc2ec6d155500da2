"""Error of the paths of tracers that move now and then, against moves as often as can be.

    python -m benchmarks.paths [--clock steps] [--temperatures 0.2 0.1 0.07]

Either clock gives the same events whatever the tracers do, so that runs differ in the moves alone:
by the steps clock (`tracers.every`) against moves in every step, by the exact clock against moves
after every event.  Printed: the root mean square distance between the ends of two paths, over the
mean length of a path (of 64 chords); and, against those of the other, the mean square displacement
D(t), and the kurtosis of P(u): 1 where both are the same.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.config import from_mapping
from epmpi.model.exact import clock
from epmpi.model.model import Model

TRACERS, CHORDS, TICK = 1024, 64, 0.1
# T -> tau before the paths, and of the paths.
CASES = {
    0.2: (25.6, 25.6), 0.15: (51.2, 25.6), 0.1: (102.4, 51.2), 0.07: (512.0, 256.0),
    0.05: (2000.0, 1024.0),
}  # fmt: skip
USUAL = {"steps": (0.2, 0.15, 0.1, 0.07), "exact": (0.1, 0.05)}


def paths(
    length: int, temperature: float, of_clock: dict[str, Any], every: int
) -> NDArray[np.float64]:
    """Return the positions of all tracers at the ends of the chords, (CHORDS + 1, TRACERS, 2)."""
    before, time = CASES[temperature]
    settings: dict[str, dict[str, Any]] = {
        "lattice": {"shape": [length, length]},
        "model": {"temperature": temperature},
        "initial": {"state": "gaussian", "stress_deviation": 0.25},
        "tracers": {"number": TRACERS, "every": every},
        "time": {**of_clock, "warmup": before, "duration": time},
        "output": {"trajectory_every": 0.0},
    }
    model = Model(from_mapping(settings))
    found = []
    for part in range(CHORDS + 1):
        target = round((before + time * part / CHORDS) / of_clock["step"])
        while model.step_count < target:
            model.advance(target)
        if of_clock["clock"] == "exact" or part in (0, CHORDS):  # others only measure the length
            model.clock.place_tracers()
        found.append(model.tracers.position[np.argsort(model.tracers.identity)])
    return np.array(found)


def compare(found: NDArray[np.float64], exact: NDArray[np.float64]) -> str:
    """Return the error of paths, and the ratios of mean square displacement and kurtosis."""
    path = np.linalg.norm(np.diff(exact, axis=0), axis=2).sum(axis=0).mean()
    moved, expected = found[-1] - found[0], exact[-1] - exact[0]
    error = np.sqrt(((moved - expected) ** 2).sum(axis=1).mean()) / path
    ratio = (moved**2).sum() / (expected**2).sum()
    kurtosis = [(u**4).mean() / (u**2).mean() ** 2 for u in (moved, expected)]
    return (
        f"error={error:.2g}  msd_ratio={ratio:.6f}  kurtosis_ratio={kurtosis[0] / kurtosis[1]:.6f}"
    )


def main() -> None:
    """Print a line for each temperature and time between moves."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clock", choices=list(USUAL), default="exact")
    parser.add_argument("--temperatures", type=float, nargs="+", help=f"of {list(CASES)}")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--step", type=float, default=0.1, help="of the steps clock")
    parser.add_argument("--every", type=int, nargs="+", default=[2, 3, 4, 8, 16],
                        help="steps between two moves")  # fmt: skip
    parser.add_argument("--sites-per-move", type=int, nargs="+", default=[2048, 512, 128],
                        help="tracers move when one site in so many has had an event")  # fmt: skip
    options = parser.parse_args()
    for temperature in options.temperatures or USUAL[options.clock]:
        if options.clock == "steps":
            of_steps(options, temperature)
        else:
            of_events(options, temperature)


def of_steps(options: argparse.Namespace, temperature: float) -> None:
    """Print a line for each number of steps between two moves."""
    of_clock = {"clock": "steps", "step": options.step}
    exact = paths(options.size, temperature, of_clock, 1)
    for every in options.every:
        found = paths(options.size, temperature, of_clock, every)
        print(
            f"L={options.size}  T={temperature}  t={CASES[temperature][1]:g}  step={options.step}  "
            f"every={every}  {compare(found, exact)}",
            flush=True,
        )


def of_events(options: argparse.Namespace, temperature: float) -> None:
    """Print a line for each number of sites whose events are between two moves."""
    of_clock, usual = {"clock": "exact", "step": TICK}, clock.SITES_PER_MOVE
    clock.SITES_PER_MOVE = options.size**2
    exact = paths(options.size, temperature, of_clock, 1)
    for sites in options.sites_per_move:
        clock.SITES_PER_MOVE = sites
        found = paths(options.size, temperature, of_clock, 1)
        print(
            f"L={options.size}  T={temperature}  t={CASES[temperature][1]:g}  "
            f"sites_per_move={sites}  {compare(found, exact)}",
            flush=True,
        )
    clock.SITES_PER_MOVE = usual


if __name__ == "__main__":
    main()
