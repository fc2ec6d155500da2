"""Time of a step beside the time that its memory traffic must take.

    python -m benchmarks.roofline --device gpu --sizes 512 4096 8192

The traffic is a list of arrays and passes, fixed before any tuning: one rank, stress and velocity
in every step, bilinear tracers. `MUST` is what is left when each of the two passes of a step reads
and writes every array once; `WRITTEN` is what the passes of `devices/gpu` move to and from the
card's memory as they are written, if a block of rows stays in its second-level cache (so that it
is less than `MUST` for the velocities, which are not stored any more). A field and
its half spectrum have the same bytes. The bandwidth is that of a copy, measured here.

Below each size stand the stages of the step, from replays of what each asks a GPU for, with the
bandwidth that `WRITTEN` makes of them: the profile before and after a change. `--block-mib` tries
other blocks of rows, `--strip-mib` other strips of columns.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import product
from typing import Any

from benchmarks.stages import Stopwatch, timed_device
from benchmarks.step import step_seconds
from epmpi.config import from_mapping
from epmpi.devices import Device
from epmpi.model.model import Model
from epmpi.parallel import Communicator

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
    ("inverse rows", "read the spectrum of the rate, which stays in the cache", 1.0, 0.0),
    ("inverse rows", "read two spectra; the velocities of a block stay in the cache", 2.0, 0.0),
    ("rule", "read and write the stress", 2.0, 0.0),
    ("rule", "read and write the directions", 0.0, 2.0),
    ("forward rows", "read the source in the cache, write its spectrum", 1.0, 0.0),
    ("columns", "forward: read and write the source's spectrum", 2.0, 0.0),
    ("columns", "product: read source and half of three kernels, write three spectra", 4.75, 0.0),
    ("columns", "inverse: read and write three spectra", 6.0, 0.0),
]
TRACER_BYTES = 32  # a position is read and written
LISTED_BYTES = 48  # it is read twice, its number written and read, for the list of its block


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


def model_of(options: argparse.Namespace, length: int, device: Device) -> Model:
    """Return the model of one size, some steps old: kernels are compiled, the step is recorded."""
    configuration = from_mapping(
        {
            "lattice": {"shape": [length, length]},
            "model": {"temperature": options.temperature},
            "tracers": {"number": length * length // options.tracers, "every": 1},
            "time": {"step": 0.05},
            "output": {"trajectory_every": 0.0},
            "run": {"precision": options.precision},
        }
    )
    model = Model(configuration, Communicator.world(), device)
    for _ in range(options.warmup):
        model.step()
    return model


def main() -> None:
    """Print the lists, then one line a size, and its stages."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "gpu"])
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 4096, 8192])
    parser.add_argument("--tracers", type=int, default=16, help="one tracer on so many sites")
    parser.add_argument("--precision", default="double", choices=["double", "single"])
    parser.add_argument("--temperature", type=float, default=0.1)
    parser.add_argument("--warmup", type=int, default=100, help="steps before the first round")
    parser.add_argument("--steps", type=int, default=20, help="steps of a round")
    parser.add_argument("--rounds", type=int, default=5, help="of which the best one counts")
    parser.add_argument("--block-mib", type=float, nargs="+", default=[0.0],
                        help="size of a block of rows on a GPU; 0: as a run has it")  # fmt: skip
    parser.add_argument("--strip-mib", type=float, nargs="+", default=[0.0],
                        help="size of a strip of columns on a GPU; 0: as a run has it")  # fmt: skip
    parser.add_argument("--fused", action="store_true", help="columns in one kernel on a GPU")
    options = parser.parse_args()
    real = 8 if options.precision == "double" else 4
    for name, traffic, listed in (("must move", MUST, 0), ("as written", WRITTEN, LISTED_BYTES)):
        total = bytes_per_site(traffic, real, 1 / options.tracers) + listed / options.tracers
        print(f"{name}: {total:.1f} bytes a site and step, {options.precision} precision")
        for stage, what, reals, more in traffic:
            print(f"  {real * reals + more:6.1f}  {stage}: {what}")
    watch = Stopwatch()
    device = timed_device(options.device, watch)
    if options.fused:
        device.__dict__["fused_columns"] = True
    bandwidth = copy_bandwidth(device, 1 << (27 if device.identity() else 24), 10)
    print(f"device={device.describe()}  copy_GB/s={bandwidth / 1e9:.1f}")
    for length in options.sizes:
        for block, strip in product(options.block_mib, options.strip_mib):
            sizes = {"block": block, "strip": strip}
            with cut_into(device, **sizes):
                report(options, length, model_of(options, length, device), watch, bandwidth, sizes)


@contextmanager
def cut_into(device: Device, block: float, strip: float) -> Iterator[None]:
    """Let a GPU work on blocks of rows and strips of columns of so many MiB; 0: as a run does."""
    if device.identity() is None:
        yield
        return
    lines: Any = import_module("epmpi.devices.gpu.lines")
    card: Any = device
    kept = card.block_bytes, lines.STRIP_BYTES
    sizes = [int(mib * 2**20) or known for mib, known in zip((block, strip), kept, strict=True)]
    card.block_bytes, lines.STRIP_BYTES = sizes
    try:
        yield
    finally:
        card.block_bytes, lines.STRIP_BYTES = kept


def report(
    options: argparse.Namespace,
    length: int,
    model: Model,
    watch: Stopwatch,
    bandwidth: float,
    sizes: dict[str, float],
) -> None:
    """Print the line of one size, and its stages."""
    real = 8 if options.precision == "double" else 4
    seconds = min(step_seconds(model, watch, options.steps) for _ in range(options.rounds))
    must = bytes_per_site(MUST, real, 1 / options.tracers) * length**2 / bandwidth
    block = "".join(f"  {what}_MiB={mib:g}" for what, mib in sizes.items() if mib)
    print(
        f"L={length}  precision={options.precision}{block}  ms_per_step={1e3 * seconds:.4g}  "
        f"must_ms={1e3 * must:.4g}  of_roofline={must / seconds:.3f}",
        flush=True,
    )
    if watch.harmless:
        watch.running = True
        step_seconds(model, watch, options.steps)
        watch.running = False
        spans = watch.collect()
        stages = {stage: spent / options.steps for stage, spent in spans.items()}
    else:
        stages = watch.replayed(model.step)
    for stage, spent in stages.items():
        traffic = [part for part in WRITTEN if part[0] == stage]
        tracers = (1 + LISTED_BYTES / TRACER_BYTES) / options.tracers if stage == "moving" else 0.0
        moved = bytes_per_site(traffic, real, tracers) * length**2
        print(f"  {1e3 * spent:8.4f} ms  {moved / spent / 1e9:8.1f} GB/s  {stage}")


if __name__ == "__main__":
    main()
