"""Commands of epmpi one after the other in the same processes: most of a short one is its start.

usage: python commands_in_turn.py JSON      (a list of lists of arguments; under mpiexec or not)

After each, a line with its exit code follows on both outputs.
"""

import json
import os
import sys

from epmpi.cli import main
from epmpi.parallel import Communicator

if __name__ == "__main__":
    communicator = Communicator.world()
    for arguments in json.loads(sys.argv[1]):
        # As Python decodes the words of a command line, whatever the locale is.
        code = main([os.fsdecode(word.encode()) for word in arguments])
        communicator.barrier()
        if communicator.is_root:
            for stream in (sys.stdout, sys.stderr):
                print(f"\n--- exit code {code}", file=stream, flush=True)
