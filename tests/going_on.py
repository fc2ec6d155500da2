"""Resuming a run that was ended, or running it again, as a job script does."""

import time

import h5py

from epmpi.cli import main

LONGEST = 60.0  # seconds until the ranks have ended: their launcher may end before them


def go_on(configuration, run, *changes):
    """Resume a run that has a checkpoint, or run it in its directory, and see that it finishes."""
    begun = any((run / name).exists() for name in ("checkpoint.h5", "ensemble.toml"))
    command = ["resume", run] if begun else ["run", configuration, "-o", run]
    words = [*map(str, command), *(word for change in changes for word in ("--set", change))]
    deadline = time.monotonic() + LONGEST
    while main(words) != 0:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    for path in [run] if (run / "run.h5").exists() else run.glob("replica-*"):
        with h5py.File(path / "run.h5") as file:
            assert "finished" in file["parameters"].attrs
