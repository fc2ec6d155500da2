"""A run that is killed before its first checkpoint, with SIGKILL and at a chosen moment."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

# Where a run is killed that has not begun: in the first of these functions that it calls.
MOMENTS = {
    "before run.h5": "epmpi.output.streaming.StreamingWriter.open",
    "with run.h5.partial": "epmpi.output.segments.SegmentedFile.publish",
    "with run.h5": "epmpi.output.checkpoint.write_checkpoint",
    "with checkpoint.h5.partial": "epmpi.output.checkpoint.put_in_place",
}
KILLED = """
import importlib, os, sys
from pathlib import Path
from epmpi import cli
from epmpi.output import store

module, _, name = sys.argv[1].rpartition(".")
try:
    home = importlib.import_module(module)
except ImportError:
    module, _, owner = module.rpartition(".")
    home = getattr(importlib.import_module(module), owner)
die = lambda *arguments, **names: os.kill(os.getpid(), 9)
setattr(home, name, die)
if name == "write_checkpoint":
    store.write_checkpoint = die
cli.main(["run", sys.argv[2], "-o", "run"])
"""


def kill_at_start(
    launch: Callable[..., subprocess.CompletedProcess], configuration: Path, moment: str
) -> Path:
    """Return RUN, named run, of a run that was killed at one of the `MOMENTS`."""
    folder = configuration.parent
    done = launch("-c", KILLED, MOMENTS[moment], configuration.name, cwd=folder)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (folder / "run").is_dir()
    assert not (folder / "run" / "checkpoint.h5").exists()
    return folder / "run"
