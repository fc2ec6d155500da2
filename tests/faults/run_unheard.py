"""`frequent_run.py` whose standard output and error have gone.

usage: WORDS=... python run_unheard.py PIDS BYTES ARGUMENT ...

WORDS is "a full disk", "a closed pipe" or "closed descriptors".
"""

import os
import runpy
import sys
from pathlib import Path


def lose(words: str) -> None:
    """Set the descriptors of standard output and error as named."""
    if words == "closed descriptors":
        os.close(1)
        os.close(2)
        sys.stdout = sys.stderr = None  # as Python does at its start
        return
    if words == "a full disk":
        gone = os.open("/dev/full", os.O_WRONLY)
    else:
        read, gone = os.pipe()
        os.close(read)
    os.dup2(gone, 1)
    os.dup2(gone, 2)


if __name__ == "__main__":
    lose(os.environ["WORDS"])
    runpy.run_path(str(Path(__file__).parent / "frequent_run.py"), run_name="__main__")
