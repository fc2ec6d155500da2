"""A loop over runs in Python; usage as of frequent_run.py, the arguments are names of runs."""

import os
import sys
from pathlib import Path

import epmpi
from epmpi.parallel import Communicator
from epmpi.run import stopping

if __name__ == "__main__":
    stopping.LOOK_INTERVAL = 0.02
    rank = Communicator.world().rank
    (Path(sys.argv[1]) / f"{rank}.{os.getpid()}").touch()
    for name in sys.argv[3:]:
        epmpi.Simulation(epmpi.load("run.toml")).run(name)
