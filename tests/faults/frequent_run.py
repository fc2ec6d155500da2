"""The command line with so many checkpoints that a kill often falls into a write.

usage: python frequent_run.py PIDS BYTES ARGUMENT ...      (arguments as of epmpi)

Each rank leaves a file named after its rank and process in the directory PIDS; segments longer than
BYTES are not copied.
"""

import os
import sys
from pathlib import Path

from epmpi import cli
from epmpi.output import segments
from epmpi.parallel import launched
from epmpi.run import stopping

if __name__ == "__main__":
    stopping.LOOK_INTERVAL = 0.02
    segments.COPIED = int(sys.argv[2])
    (Path(sys.argv[1]) / f"{launched().rank}.{os.getpid()}").touch()  # MPI is to start later
    sys.exit(cli.main(sys.argv[3:]))
