"""The faults that a run is to survive, in short; `make test-faults LONG=1` tries many of each."""

import os
import platform
import sys

import fuzz
import pytest
from damage import damage, foreign
from disks import can_mount, disk_full, read_only
from fault_runs import OF_THE_EXACT_CLOCK, Place
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

SEED = 20
OF_RUNS = (
    (kill_at_random, 2),
    (damage, 2),
    (foreign, 1),
    (stopped, 2),
    (stopped_at_start, 3),
    (stale_end, 1),
    (few_files, 2),
    (unheard, 3),
    (two_runs, 1),
    (replaced, 2),
    (without_locks, 4),
    (opened_elsewhere, 2),
    (interrupted_loop, 1),
    (failing_rank, 2),
    (left_lock, 1),
    (unreachable, 1),
    (stalled, 1),
    (stalled_for_ever, 2),
    (insisted, 1),
    (not_a_number, 2),
)
OF_RUNS_OF_THE_EXACT_CLOCK = (
    (kill_in_the_middle, 1),
    (kill_at_random, 3),
    (damage, 2),
    (stopped, 1),
)
TEXTS = [(target, 300) for target in ("configuration", "override", "campaign")]
FUZZERS = [way for way in fuzz.WAYS if way == "by properties" or fuzz.has_guide()]
LIMIT = 400.0  # seconds for one of them
# To fill a disk takes root; without it, test_failures limits the size of the files.
OF_DISKS = (pytest.param(disk_full, 1, marks=pytest.mark.ci), (read_only, 1))
FILES = ("files", 60)  # each goes through many readers


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Place:
    return Place(tmp_path_factory.mktemp("runs"))


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize(("fault", "number"), OF_RUNS)
def test_run_survives(place, fault, number):
    found = list(fault(place, number, SEED))
    assert found
    assert [trial for trial in found if trial.lost] == []


@pytest.fixture(scope="module")
def exact_place(tmp_path_factory) -> Place:
    return Place(tmp_path_factory.mktemp("exact"), OF_THE_EXACT_CLOCK)


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize(("fault", "number"), OF_RUNS_OF_THE_EXACT_CLOCK)
def test_run_of_the_exact_clock_survives(exact_place, fault, number):
    test_run_survives(exact_place, fault, number)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "number"), (*(OF_DISKS if can_mount() else ()), (clock_backwards, 1))
)
def test_run_survives_its_machine(tmp_path, fault, number):
    found = list(fault(tmp_path, number, SEED))
    assert found
    assert [trial for trial in found if trial.lost] == []


@pytest.mark.ci
@pytest.mark.slow
@pytest.mark.parametrize("way", FUZZERS)
@pytest.mark.parametrize(("target", "number"), [*TEXTS, FILES])
def test_readers_read_or_refuse_in_one_line(tmp_path, way, target, number):
    tally = fuzz.fuzz(way, target, tmp_path / target, number, SEED, LIMIT)
    assert tally.found == []
    assert tally.inputs == number
    assert tally.tried
    assert way == "by properties" or target == "files" or tally.new > 0


def test_the_guide_is_there_where_it_must_be():
    there_are_wheels = (sys.platform, platform.machine()) == ("linux", "x86_64")
    assert fuzz.has_guide() or not (there_are_wheels and os.environ.get("EPMPI_CI"))
