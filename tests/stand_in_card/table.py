"""Print what a step asks of a card, and how long that takes the host.

    python -m stand_in_card.table

Under mpiexec: of rank 0, with the exchange by way of the host, and as with NCCL.  No card is
measured.
"""

import statistics
import time
from itertools import product

import stand_in_card as card
from epmpi.config import from_mapping
from epmpi.devices.gpu import cards
from epmpi.model.model import Model
from epmpi.parallel import Communicator
from epmpi.parallel.placement import place

SIZES = (64, 1024, 4096)
STEPS = 16
SHOWN = ("graph_launches", "launches", "exchanges", "allocations", "waits", "drained")


def row(length, tracers, world):
    """Return the numbers of a step that is recorded, its nodes, and microseconds of the host."""
    moving = {"number": length**2 // 64 * tracers, "every": 1}
    table = {"lattice": {"shape": [length, length]}, "tracers": moving}
    table["output"] = {"trajectory_every": 0.0}
    model = Model(from_mapping(table), world, place("gpu", world))
    model.step()
    nodes = card.asked(model.step)["nodes"]
    seconds = []

    def steps():
        for _ in range(STEPS):
            start = time.perf_counter()
            model.step()
            seconds.append(time.perf_counter() - start)

    found = card.asked(steps)
    shown = [found[name] / STEPS for name in SHOWN]
    return model.fft.transport, nodes, shown, 1e6 * statistics.median(seconds)


def main():
    """Print one line a size."""
    world = Communicator.world()
    if world.is_root:
        print("ranks      L  tracers  nodes", *SHOWN, "host_us", "transport")
    for own in (False, True)[: world.size]:
        if own:
            cards.identity_of = lambda number: f"GPU-{world.rank}"
        for length, tracers in product(SIZES, (False, True)):
            transport, nodes, shown, microseconds = row(length, tracers, world)
            if world.is_root:
                numbers = "  ".join(f"{number:g}" for number in shown)
                line = f"{world.size:5} {length:6} {tracers:8} {nodes:6}  {numbers}"
                print(f"{line}  {microseconds:.0f}  {transport}", flush=True)
            card.free()


if __name__ == "__main__":
    main()
