"""The faults that a run is to survive, in short; `make test-faults LONG=1` tries many of each."""

import pytest
from damage import damage, foreign
from disks import can_mount, disk_full, read_only
from fault_runs import Place
from fuzz import fuzz
from kills import kill_at_random
from machines import clock_backwards, not_a_number, stalled, stopped, two_runs

SEED = 20
OF_RUNS = (
    (kill_at_random, 2),
    (damage, 2),
    (foreign, 1),
    (stopped, 1),
    (two_runs, 1),
    (stalled, 1),
    (not_a_number, 2),
)
# To fill a disk takes root; without it, test_failures limits the size of the files.
OF_DISKS = ((disk_full, 1), (read_only, 1)) if can_mount() else ()


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Place:
    return Place(tmp_path_factory.mktemp("runs"))


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "number"), OF_RUNS)
def test_run_survives(place, fault, number):
    found = list(fault(place, number, SEED))
    assert found
    assert [trial for trial in found if trial.lost] == []


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "number"), (*OF_DISKS, (clock_backwards, 1)))
def test_run_survives_its_machine(tmp_path, fault, number):
    found = list(fault(tmp_path, number, SEED))
    assert found
    assert [trial for trial in found if trial.lost] == []


@pytest.mark.slow
def test_readers_refuse_in_one_line(tmp_path):
    tried = list(fuzz(tmp_path, 800, SEED))
    assert len(tried) >= 800
    assert [found for found in tried if found[1]] == []
