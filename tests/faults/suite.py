"""Every fault that a run is to survive, with a table of what was tried, survived and lost.

usage: PYTHONPATH=tests:tests/faults:tools python tests/faults/suite.py [--kills N] [--times N]

`make test-faults` runs it; the long form, `make test-faults LONG=1`, is --kills 200 --times 40.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from damage import damage, foreign
from disks import can_mount, disk_full, read_only
from fault_runs import OF_THE_EXACT_CLOCK, Place, Trial
from kills import kill_at_random, kill_in_the_middle
from machines import (
    clock_backwards,
    few_files,
    insisted,
    not_a_number,
    stale_end,
    stalled,
    stalled_for_ever,
    stopped,
    stopped_at_start,
    two_runs,
    unheard,
)
from owners import opened_elsewhere, replaced, without_locks
from users import failing_rank, interrupted_loop, left_lock, unreachable


def trials(directory: Path, kills: int, times: int, seed: int) -> Iterator[Trial]:
    """Yield what came of every fault."""
    place = Place(directory / "runs")
    exact = Place(directory / "exact", OF_THE_EXACT_CLOCK)
    few = max(1, min(3, times))
    if can_mount():
        disks = [partial(disk_full, directory, few), partial(read_only, directory, 1)]
    else:
        disks = []
        print("not tried: disks that are full or read-only; to mount one needs root")
    for tried in (
        partial(kill_at_random, place, kills),
        partial(damage, place, times),
        partial(foreign, place, 1),
        partial(of_the_exact_clock, kill_in_the_middle, exact, 3),
        partial(of_the_exact_clock, kill_at_random, exact, kills),
        partial(of_the_exact_clock, damage, exact, times),
        partial(of_the_exact_clock, stopped, exact, few),
        *disks,
        partial(stopped, place, few + 1),
        partial(stopped_at_start, place, few),
        partial(stale_end, place, 1),
        partial(few_files, place, 2),
        partial(unheard, place, few),
        partial(two_runs, place, 1),
        partial(replaced, place, 4),
        partial(without_locks, place, 4),
        partial(opened_elsewhere, place, 3),
        partial(interrupted_loop, place, 1),
        partial(failing_rank, place, 4),
        partial(left_lock, place, 1),
        partial(unreachable, place, 4),
        partial(stalled, place, 1),
        partial(stalled_for_ever, place, 2),
        partial(insisted, place, 2),
        partial(not_a_number, place, 2 * few),
        partial(clock_backwards, directory, 1),
    ):
        yield from tried(seed)


def of_the_exact_clock(
    fault: Callable[[Place, int, int], Iterator[Trial]], place: Place, number: int, seed: int
) -> Iterator[Trial]:
    """Yield what came of a fault to runs of the exact clock, under names of their own."""
    for trial in fault(place, number, seed):
        yield replace(trial, fault=f"{trial.fault}, exact clock")


def table(found: list[Trial]) -> str:
    """Return the table: a row for each fault."""
    tried = Counter(trial.fault for trial in found)
    lost = Counter(trial.fault for trial in found if trial.lost)
    rows = [f"{'fault':<52} {'tried':>6} {'survived':>9} {'lost':>5}"]
    for fault, number in tried.items():
        rows.append(f"{fault:<52} {number:6} {number - lost[fault]:9} {lost[fault]:5}")
    total, all_lost = tried.total(), lost.total()
    rows.append(f"{'all':<52} {total:6} {total - all_lost:9} {all_lost:5}")
    hit = Counter(trial.during for trial in found if trial.during)
    if hit:
        rows.append("of the kills: " + ", ".join(f"{n} {what}" for what, n in hit.most_common()))
    return "\n".join(rows)


def main() -> int:
    """Try the faults and print the table; the exit code is 1 if anything was lost."""
    parser = argparse.ArgumentParser(description="Try every fault that a run is to survive.")
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--times", type=int, default=3, help="of each damage to a file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="work here, and leave the runs")
    options = parser.parse_args()
    start, found = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="epmpi-faults-") as temporary:
        directory = options.keep or Path(temporary)
        with suppress(KeyboardInterrupt):  # the table of what has been tried until then
            for trial in trials(directory, options.kills, options.times, options.seed):
                found.append(trial)
                if trial.lost:
                    print(f"LOST: {trial.fault}: {trial.lost}", flush=True)
    print(table(found))
    lost = sum(bool(trial.lost) for trial in found)
    print(f"{time.monotonic() - start:.0f} s, {len(found) - lost} survived, {lost} lost")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
