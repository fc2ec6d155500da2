"""`frequent_run.py` in a process that may have few files open.

usage: FILES=SOFT,HARD python run_with_few_files.py PIDS BYTES ARGUMENT ...
"""

import os
import resource
import runpy
from pathlib import Path

if __name__ == "__main__":
    soft, hard = map(int, os.environ["FILES"].split(","))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    runpy.run_path(str(Path(__file__).parent / "frequent_run.py"), run_name="__main__")
