"""The command line, of which one rank fails in the middle of a checkpoint; as frequent_run.py.

The variables RANK and KIND say which one, and with what.
"""

import os
import sys
from pathlib import Path

from epmpi.cli import commands, main
from epmpi.output import OutputError
from epmpi.output.streaming import StreamingWriter
from epmpi.parallel import Communicator, launched, load

KINDS = {"memory": MemoryError, "output": OutputError, "bug": ZeroDivisionError}

if __name__ == "__main__":
    (Path(sys.argv[1]) / f"{launched().rank}.{os.getpid()}").touch()
    commands.PATIENCE = 1.0
    gather, fill, filling = Communicator.gather_rows, StreamingWriter.fill, []

    def filled(*arguments):
        """Fill a checkpoint, and count it."""
        filling.append(1)
        return fill(*arguments)

    def failing(communicator, rows):
        """Gather rows, except for the second checkpoint on one rank."""
        if len(filling) > 1 and launched().rank == int(os.environ["RANK"]):
            kind = os.environ["KIND"]
            raise load()[0].Exception() if kind == "MPI" else KINDS[kind]("of this rank alone")
        return gather(communicator, rows)

    Communicator.gather_rows, StreamingWriter.fill = failing, filled
    sys.exit(main(sys.argv[3:]))
