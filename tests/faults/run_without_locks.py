"""`frequent_run.py` on a file system without locks, perhaps as on another machine; all goes faster.

usage: FLOCK=... MACHINE=... python run_without_locks.py PIDS BYTES ARGUMENT ...

FLOCK is "nothing", where flock does nothing, or "ENOSYS", which it then raises.  MACHINE is that
which the locks tell, empty for the true one.
"""

import fcntl
import os
import runpy
from pathlib import Path

from epmpi.output import holder, lock, refreshing


def flock(file: int, how: int) -> None:
    """Do nothing, or be what the system does not have."""
    if os.environ["FLOCK"] == "ENOSYS":
        raise OSError(38, "Function not implemented")


if __name__ == "__main__":
    fcntl.flock = flock
    lock.SILENT, lock.SETTLED, refreshing.REFRESH = 6.0, 0.1, 0.2
    if os.environ["MACHINE"]:
        holder.machine = lambda: os.environ["MACHINE"]
    runpy.run_path(str(Path(__file__).parent / "frequent_run.py"), run_name="__main__")
