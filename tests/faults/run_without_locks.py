"""`frequent_run.py` on a file system without locks, perhaps as on another machine; all goes faster.

usage: FLOCK=... MACHINE=... HOLD=... python run_without_locks.py PIDS BYTES ARGUMENT ...

FLOCK is "nothing", where flock does nothing, or "ENOSYS", which it then raises.  MACHINE is that
which the locks tell, empty for the true one.  While there is a file HOLD the run takes no steps.
"""

import fcntl
import os
import runpy
import time
from collections.abc import Callable
from pathlib import Path

from epmpi.output import holder, lock
from epmpi.run.stopping import Decision, Pace


def flock(file: int, how: int) -> None:
    """Do nothing, or be what the system does not have."""
    if os.environ["FLOCK"] == "ENOSYS":
        raise OSError(38, "Function not implemented")


def hold(decide: Callable[..., Decision]) -> Callable[..., Decision]:
    """Return what decides when it may."""

    def held(pace: Pace, step: int) -> Decision:
        while os.path.exists(os.environ["HOLD"]):
            time.sleep(0.02)
        return decide(pace, step)

    return held


if __name__ == "__main__":
    fcntl.flock = flock
    lock.SILENT, lock.SETTLED, lock.REFRESH = 6.0, 0.1, 0.2
    Pace.decide = hold(Pace.decide)  # type: ignore[method-assign]
    if os.environ["MACHINE"]:
        holder.machine = lambda: os.environ["MACHINE"]
    runpy.run_path(str(Path(__file__).parent / "frequent_run.py"), run_name="__main__")
