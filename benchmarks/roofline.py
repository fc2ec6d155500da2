"""Time of a step beside the time that its memory traffic must take.

    python -m benchmarks.roofline --device gpu --sizes 512 4096 8192

The traffic is a list of arrays and passes, fixed before any tuning: one rank, stress and velocity
in every step, bilinear tracers. `MUST` is what is left when each of the two passes of a step reads
and writes every array once; `WRITTEN` is what the passes of `devices/gpu` move as they are written.
A field and its half spectrum have the same bytes. The bandwidth is that of a copy, measured here.
"""

from __future__ import annotations

import argparse
import math
import time

from epmpi.config import from_mapping
from epmpi.devices import Device
from epmpi.model import Model
from epmpi.parallel import Communicator
from epmpi.placement import place

# (pass, what moves, reals a site, bytes a site beside them)
Traffic = list[tuple[str, str, float, float]]

MUST: Traffic = [
    ("rows", "read three response spectra", 3.0, 0.0),
    ("rows", "read and write the stress", 2.0, 0.0),
    ("rows", "read and write the directions", 0.0, 2.0),
    ("rows", "write two velocities", 2.0, 0.0),
    ("rows", "write the source's spectrum", 1.0, 0.0),
    ("tracers", "read two velocities", 2.0, 0.0),
    ("columns", "read the source's spectrum", 1.0, 0.0),
    ("columns", "read three kernels", 1.5, 0.0),
    ("columns", "write three response spectra", 3.0, 0.0),
]
WRITTEN: Traffic = [
    ("inverse rows", "read three spectra, write three fields", 6.0, 0.0),
    ("sites", "read and write the stress, read its rate, write the source", 4.0, 0.0),
    ("sites", "read and write the directions", 0.0, 2.0),
    ("tracers", "read two velocities", 2.0, 0.0),
    ("forward rows", "read the source, write its spectrum", 2.0, 0.0),
    ("forward columns", "read and write the source's spectrum", 2.0, 0.0),
    ("product", "read source and three kernels, write three spectra", 5.5, 0.0),
    ("inverse columns", "read and write three spectra", 6.0, 0.0),
]
TRACER_BYTES = 32  # a position is read and written


def bytes_per_site(traffic: Traffic, real: int, tracers: float) -> float:
    """Return the bytes that move per site and step, with so many tracers a site."""
    return sum(real * reals + more for _, _, reals, more in traffic) + TRACER_BYTES * tracers


def copy_bandwidth(device: Device, elements: int, repeats: int) -> float:
    """Return the bytes a second of a copy, read and written ones counted; the best of several."""
    source, target = (device.zeros((elements,), "d") for _ in range(2))
    best = math.inf
    for _ in range(repeats):
        device.synchronize()
        start = time.perf_counter()
        target[...] = source
        device.synchronize()
        best = min(best, time.perf_counter() - start)
    return 2 * 8 * elements / best


def step_seconds(options: argparse.Namespace, length: int, device: Device) -> float:
    """Return the seconds of a step, the best of several rounds."""
    number = length * length // options.tracers
    configuration = from_mapping(
        {
            "lattice": {"shape": [length, length]},
            "model": {"temperature": options.temperature},
            "tracers": {"number": number},
            "time": {"step": 0.05},
            "output": {"trajectory_every": 0.0},
            "run": {"precision": options.precision},
        }
    )
    model = Model(configuration, Communicator.world(), device)
    best = math.inf
    for _ in range(options.rounds + 1):  # the first one compiles
        device.synchronize()
        start = time.perf_counter()
        for _ in range(options.steps):
            model.step()
        device.synchronize()
        best = min(best, (time.perf_counter() - start) / options.steps)
    return best


def main() -> None:
    """Print the lists, then one line a size."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "gpu"])
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 4096, 8192])
    parser.add_argument("--tracers", type=int, default=16, help="one tracer on so many sites")
    parser.add_argument("--precision", default="double", choices=["double", "single"])
    parser.add_argument("--temperature", type=float, default=0.1)
    parser.add_argument("--steps", type=int, default=20, help="steps of a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    real = 8 if options.precision == "double" else 4
    for name, traffic in (("must move", MUST), ("as written", WRITTEN)):
        total = bytes_per_site(traffic, real, 1 / options.tracers)
        print(f"{name}: {total:.1f} bytes a site and step, {options.precision} precision")
        for stage, what, reals, more in traffic:
            print(f"  {real * reals + more:6.1f}  {stage}: {what}")
    device = place(options.device, Communicator.world())
    bandwidth = copy_bandwidth(device, 1 << (27 if device.identity() else 24), 10)
    print(f"device={device.describe()}  copy_GB/s={bandwidth / 1e9:.1f}")
    must = bytes_per_site(MUST, real, 1 / options.tracers)
    for length in options.sizes:
        seconds = step_seconds(options, length, device)
        ideal = must * length**2 / bandwidth
        print(
            f"L={length}  ms_per_step={1e3 * seconds:.4g}  must_ms={1e3 * ideal:.4g}  "
            f"of_roofline={ideal / seconds:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
