"""Quick start from Python: run a configuration, analyse it, print three numbers.

Physics: thermally activated yielding at T = 0.1 with 4096 tracers, the run of quickstart.toml: from
a stress-free start to the steady state, then D(t) from the ballistic regime on.

Run time: about 65 s of one core, analysis included.
    mpiexec -n 2 python examples/01_quickstart.py [section.key=value ...]
"""

import sys
from pathlib import Path

import epmpi
from epmpi.analysis import analyse
from epmpi.parallel import Communicator

CONFIGURATION = Path(__file__).parent / "quickstart.toml"
RUN = Path("runs/01_quickstart")


def main() -> None:
    """Run on all ranks; the root prints."""
    communicator = Communicator.world()
    configuration = epmpi.load(CONFIGURATION, sys.argv[1:])
    epmpi.Simulation(configuration, communicator).run(RUN)
    [analysis] = analyse(RUN, communicator=communicator)
    if not communicator.is_root:
        return
    for name, average in analysis.averages.items():
        print(f"{name:<16} {average.value:.4g} +- {average.error:.2g}")
    if analysis.tracers is not None:
        diffusion = analysis.tracers.diffusion
        print(f"D({diffusion.lag[-1]:g})          {diffusion.coefficient[-1]:.3g}")
    print(f"figures in       {RUN}")


if __name__ == "__main__":
    main()
