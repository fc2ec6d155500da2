"""Site updates a second of a batch of models on one device, beside the same models in turn.

    python -m benchmarks.batch --device cpu --sizes 64 128
    python -m benchmarks.batch --device gpu --sizes 256 --replicas 64

The two alternate, a round each; medians over the rounds.  In turn: all steps of a round with one
model, then with the next, as an ensemble without batches does.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from epmpi.config import from_mapping
from epmpi.model.batch import Batch
from epmpi.model.model import Model
from epmpi.parallel import Communicator
from epmpi.parallel.placement import place


def models(options: argparse.Namespace, length: int, fraction: int) -> list[Model]:
    """Return the replicas of an ensemble."""
    number = length**2 // fraction if fraction else 0
    configuration = from_mapping(
        {
            "lattice": {"shape": [length, length]},
            "tracers": {"number": number},
            "output": {"trajectory_every": 0.0},
            "run": {"replicas": options.replicas},
        }
    )
    world = Communicator.world()
    device = place(options.device, world)
    replicas = range(options.replicas)
    return [Model(configuration.replica(number), world, device) for number in replicas]


def seconds(work: Callable[[], None], model: Model) -> float:
    """Time some work, to its end on the device."""
    model.device.synchronize()
    start = time.perf_counter()
    work()
    model.device.synchronize()
    return time.perf_counter() - start


def measure(options: argparse.Namespace, length: int, fraction: int) -> None:
    """Print the line of one size and tracer density."""
    single, together = models(options, length, fraction), models(options, length, fraction)
    batch = Batch(together)

    def in_turn() -> None:
        for model in single:
            for _ in range(options.steps):
                model.step()

    def as_batch() -> None:
        for _ in range(options.steps):
            batch.step()

    in_turn()
    as_batch()
    updates = options.replicas * options.steps * length**2
    pairs = [
        (updates / seconds(in_turn, single[0]), updates / seconds(as_batch, single[0]))
        for _ in range(options.rounds)
    ]
    one, other = (statistics.median(speeds) for speeds in zip(*pairs, strict=True))
    ratio = statistics.median(fast / slow for slow, fast in pairs)
    tracers = single[0].tracers.number
    print(
        f"L={length}  tracers={tracers}  replicas={options.replicas}  "
        f"device={single[0].device.name}  in_turn={one / 1e6:.1f}  batch={other / 1e6:.1f} "
        f"M site updates/s  ratio={ratio:.2f}",
        flush=True,
    )


def main() -> None:
    """Print a line for each size and tracer density."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--tracers", type=int, nargs="+", default=[0, 16],
                        help="one tracer on so many sites; 0: none")  # fmt: skip
    parser.add_argument("--replicas", type=int, default=8)
    parser.add_argument("--device", default="cpu", choices=["auto", "cpu", "gpu"])
    parser.add_argument("--steps", type=int, default=200, help="steps of a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    for length in options.sizes:
        for fraction in options.tracers:
            measure(options, length, fraction)


if __name__ == "__main__":
    main()
