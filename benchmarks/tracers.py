"""Time to move tracers, ns a tracer, by interpolation, beside SciPy on a stored flow.

    python -m benchmarks.tracers [--length 1024] [--sites 16] [--rounds 15]

All in one process, in turn, medians. `stored` moves them along a flow that is there as fields;
`by rows` restores the flow from its spectra a few rows at a time and moves them meanwhile, so its
time contains that of the row transforms; `rows` is that of these transforms alone. SciPy
interpolates each component linearly (map_coordinates, order 1, periodic); it has no equal of the
others.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from scipy.ndimage import map_coordinates

from epmpi.devices import CPU, TracerMove
from epmpi.devices.cpu.fourier.vector_lines import VectorLines
from epmpi.devices.cpu.rows import CompiledRows

HALO = {"bilinear": (2, 1), "nearest": (2, 1), "stream": (1, 3)}  # fields, rows


def measure(length: int, number: int, interpolation: str, rounds: int) -> dict[str, float]:
    """Return ns a tracer of each way."""
    fields, halo = HALO[interpolation]
    lines, random = VectorLines((length, length), np.float64), np.random.default_rng(1)
    device, loops = CPU(), CompiledRows(lines)
    spectra = np.zeros((length + halo, fields, lines.pitch(length // 2 + 1)), np.complex128)
    spectra = spectra[:, :, : length // 2 + 1]
    flow = random.normal(size=(length + halo, fields, length))
    lines.transform_rows(flow, spectra)
    position = random.uniform(0, length, (number, 2))
    position = position[np.lexsort(np.floor(position).T[::-1])]  # by site, as in a run
    stored = np.ascontiguousarray(flow.swapaxes(0, 1))
    move = TracerMove(interpolation, position, 1e-9, length, 0)
    restored = np.empty_like(flow)
    ways: dict[str, Callable[[], object]] = {
        "stored": lambda: device.move_tracers(move, stored),
        "by rows": lambda: loops.move_tracers(spectra, halo, move),
        "rows": lambda: lines.restore_rows(spectra, restored),
    }
    if interpolation == "bilinear":
        ways["scipy"] = lambda: [
            map_coordinates(component[:length], position.T, order=1, mode="grid-wrap")
            for component in stored
        ]
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number_of_round in range(rounds + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            if number_of_round:  # the first compiles
                seconds[name].append(time.perf_counter() - start)
    return {name: 1e9 * statistics.median(spent) / number for name, spent in seconds.items()}


def main() -> None:
    """Print a line for each interpolation."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--sites", type=int, default=16, help="one tracer on so many sites")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    number = options.length**2 // options.sites
    print(f"L={options.length} tracers={number}, ns a tracer")
    for interpolation in HALO:
        spent = measure(options.length, number, interpolation, options.rounds)
        print(f"{interpolation:>9}  " + "  ".join(f"{k}={v:.1f}" for k, v in spent.items()))


if __name__ == "__main__":
    main()
