"""Disks that are full or cannot be written to."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fault_runs import TIMEOUT, Place, Trial
from same_runs import differences

WRITES = {  # what fills the disk
    "fields": "shape = [128, 64]\n[output]\nfields_every = 0.5\ntrajectory_every = 0.0",
    "trajectory": "shape = [32, 64]\n[output]\nfields_every = 0.0\ntrajectory_every = 0.05",
    "checkpoint": "shape = [256, 128]\n[output]\nfields_every = 0.0\ntrajectory_every = 0.0",
    "exact clock": "shape = [128, 64]\n[output]\nfields_every = 0.5\ntrajectory_every = 0.0",
}
CLOCKS = {"exact clock": "exact"}
TRACERS = {"fields": 0, "trajectory": 2000, "checkpoint": 0, "exact clock": 0}
COMMON = "series_every = 0.5\ncheckpoint_every = 0.1\n[time]\nwarmup = 0.0\nduration = 10.0"
SIZES = {  # KiB of the disk at first
    "fields": (700, 2500, 5000),
    "trajectory": (400, 2000, 6000),
    "checkpoint": (700, 1000, 1150),
    "exact clock": (700, 2500, 5000),
}


def can_mount() -> bool:
    """Tell whether this process may mount a file system: root may, but not in every container."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    with tempfile.TemporaryDirectory() as directory:
        try:
            with small_disk(Path(directory) / "trial", 64):
                return True
        except subprocess.CalledProcessError:
            return False


@contextmanager
def small_disk(path: Path, kibibytes: int) -> Iterator[None]:
    """Mount a file system in memory of a given size; needs root."""
    path.mkdir(exist_ok=True)
    mount(path, f"size={kibibytes}k")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True, timeout=TIMEOUT)


def mount(path: Path, options: str) -> None:
    """Mount a file system in memory, or change its options."""
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)]
    subprocess.run(command, check=True, timeout=TIMEOUT)


def disk_full(directory: Path, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of disks that fill up at different times of a run, and get space later."""
    for what, text in WRITES.items():
        configuration = (
            f'[lattice]\n{text}\n{COMMON}\nclock = "{CLOCKS.get(what, "steps")}"\n'
            f"[tracers]\nnumber = {TRACERS[what]}\n"
        )
        place = Place(directory / what, configuration)
        whole = place.reference()
        for size in SIZES[what][:number]:
            disk = directory / "disk"
            with small_disk(disk, size):
                yield Trial(f"disk full: {what}", fill(place, disk, whole))


def fill(place: Place, disk: Path, whole: Path) -> str:
    """Run on a disk that is too small, then with space; return what is wrong."""
    run = disk / "run"
    started = place.run(str(run))
    code = started.wait()
    if code == 0:
        return "the disk was large enough: nothing tried"
    messages = [line for line in started.text().splitlines() if line.startswith("epmpi: ")]
    if code != 74 or len(messages) != 1 or "No space left" not in messages[0]:
        return f"exit code {code}: {started.text()[-300:]}"
    mount(disk, "remount,size=200m")
    if not (run / "checkpoint.h5").exists():
        shutil.rmtree(run)
        code = (started := place.run(str(run))).wait()
    else:
        code = (started := place.resume(str(run))).wait()
    if code != 0:
        return f"resume ended with {code}: {started.text()[-300:]}"
    return f"differs in {wrong[:3]}" if (wrong := differences(whole, run)) else ""


def read_only(directory: Path, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of a directory that became read-only."""
    place = Place(directory / "read-only")
    disk = directory / "disk"
    with small_disk(disk, 50_000):
        shutil.copytree(place.reference(), disk / "run")
        mount(disk, "remount,ro")
        for what, started in (
            ("new run", place.run(str(disk / "new"))),
            ("resume", place.resume(str(disk / "run"))),
        ):
            code, lines = started.wait(), started.text().strip().splitlines()
            good = code in (2, 74) and "Read-only file system" in lines[-1]
            yield Trial(f"read-only: {what}", "" if good else f"{code}: {started.text()[-300:]}")
