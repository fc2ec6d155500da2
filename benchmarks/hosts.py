"""Time and bytes of a step between hosts: chunks of rows, sites or spectra, single wire.

    mpiexec -hosts A,B -n 2 python -m benchmarks.hosts --size 1024

The ways alternate, a round each; printed are medians, the medians of the ratios to the way that is
used, and what leaves the first host (counters of Linux, all its networks).
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any, NamedTuple

from epmpi.config import from_mapping
from epmpi.model.model import Model
from epmpi.parallel import Communicator
from epmpi.spectral import messages, sites

SETTLED = sites.REVIEWED_EVERY + 1  # steps until a source travels in the way that is asked for


class Way(NamedTuple):
    """How rows travel."""

    name: str
    wire: str = "double"
    chunks: int = messages.MOST_CHUNKS
    sparse: bool = True


WAYS = (
    Way("as it is"),
    *(Way(f"{chunks} chunks", chunks=chunks) for chunks in (1, 4, 8)),
    Way("spectra, not sites", sparse=False),
    Way("single wire", "single"),
    Way("single wire, 1 chunk", "single", 1),
)


def model_of(options: argparse.Namespace, way: Way, fraction: int) -> Model:
    """Return a model whose rows travel in this way.  Collective."""
    messages.MOST_CHUNKS = way.chunks
    size = options.size
    mapping: dict[str, dict[str, Any]] = {
        "lattice": {"shape": [size, size]},
        "model": {"temperature": options.temperature},
        "initial": {"state": "gaussian", "stress_deviation": 0.25},
        "tracers": {"number": size**2 // fraction if fraction else 0},
        "output": {"trajectory_every": 0.0},
        "run": {"wire": way.wire},
    }
    return Model(from_mapping(mapping))


def sent() -> int:
    """Return the bytes that this host has sent to others."""
    lines = Path("/proc/net/dev").read_text().splitlines()[2:]
    counts = dict(line.split(":") for line in lines)
    return sum(int(count.split()[8]) for name, count in counts.items() if name.strip() != "lo")


def main() -> None:
    """Print a line for each way, without and with tracers."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--temperature", type=float, default=0.1)
    parser.add_argument("--warmup", type=int, default=60, help="steps before the first round")
    parser.add_argument("--steps", type=int, default=12, help="steps of a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    communicator, rule = Communicator.world(), sites.cheaper_as_sites
    for fraction in (0, 16):
        models = {way: model_of(options, way, fraction) for way in WAYS}
        seconds: dict[Way, list[float]] = {way: [] for way in WAYS}
        volume = dict.fromkeys(WAYS, 0)
        for number in range(options.rounds + 1):  # the first one warms up
            for way, model in models.items():
                sites.cheaper_as_sites = rule if way.sparse else lambda *ignored: False
                for _ in range(SETTLED if number else options.warmup):
                    model.step()
                communicator.barrier()
                start, before = time.perf_counter(), sent()
                for _ in range(options.steps):
                    model.step()
                communicator.barrier()
                if number:
                    seconds[way].append((time.perf_counter() - start) / options.steps)
                    volume[way] += sent() - before
        if communicator.is_root:
            for way, found in seconds.items():
                ratios = [a / b for a, b in zip(found, seconds[WAYS[0]], strict=True)]
                megabytes = volume[way] / options.rounds / options.steps / 1e6
                print(
                    f"L={options.size}  tracers={fraction}  {way.name}:  "
                    f"ms={1e3 * statistics.median(found):.1f}  "
                    f"ratio={statistics.median(ratios):.2f}  MB={megabytes:.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
