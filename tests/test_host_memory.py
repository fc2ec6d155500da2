"""Memory that is left: of the machine, within control groups of both versions; and who asks."""

import pytest

from epmpi.analysis import AnalysisError, analyse, report
from epmpi.config import ConfigError, from_mapping
from epmpi.host import host_memory
from epmpi.host.host_memory import free_memory
from epmpi.parallel import Communicator, placement
from epmpi.parallel.placement import check_memory, place
from epmpi.run.simulation import Simulation

MIB = 2**20


def machine(tmp_path, available, swap, groups):
    """Make the files of a system; groups: (lines of /proc/self/cgroup, {folder: {file: text}})."""
    lines, folders = groups
    (tmp_path / "proc" / "self").mkdir(parents=True)
    memory = f"MemTotal: 99999 kB\nMemAvailable: {available} kB\nSwapFree: {swap} kB\n"
    (tmp_path / "proc" / "meminfo").write_text(memory)
    (tmp_path / "proc" / "self" / "cgroup").write_text(lines)
    for folder, files in folders.items():
        (tmp_path / "cgroup" / folder).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (tmp_path / "cgroup" / folder / name).write_text(f"{text}\n")
    return free_memory(tmp_path / "proc", tmp_path / "cgroup")


def second(most, now, cached=0):
    stat = f"anon 1\ninactive_file {cached}\nactive_file 0"
    return {"memory.max": most, "memory.current": now, "memory.stat": stat}


def first(most, now):
    stat = "cache 5\ntotal_inactive_file 100\ntotal_active_file 20"
    return {"memory.limit_in_bytes": most, "memory.usage_in_bytes": now, "memory.stat": stat}


NO_LIMIT = 9223372036854771712
GROUPS = {
    "none": (("", {}), 3000 * 1024),
    "second": (("0::/job/step\n", {"job/step": second(5000, 1000, 300)}), 4300),
    "second, of the job": (
        ("0::/job/step\n", {"job/step": second("max", 10), "job": second(900, 400)}),
        500,
    ),
    "second, in a container": (("0::/\n", {"": second(800, 100)}), 700),
    "second, path of the host": (("0::/docker/abc\n", {"": second(800, 900)}), 0),
    "first": (
        ("5:cpu:/x\n4:cpuacct,memory:/slurm/uid\n", {"memory/slurm/uid": first(5000, 1000)}),
        4120,
    ),
    "first, path of the host": (("4:memory:/docker/abc\n", {"memory": first(2000, 1000)}), 1120),
    "first, no limit": (("4:memory:/\n", {"memory": first(NO_LIMIT, 1000)}), 3000 * 1024),
    "not numbers": (("0::/\nx\n", {"": second("much", "some")}), 3000 * 1024),
}


@pytest.mark.parametrize("case", GROUPS)
def test_the_least_of_all_limits_counts(tmp_path, case):
    groups, expected = GROUPS[case]
    left, whose = machine(tmp_path, 2000, 1000, groups)
    assert left == expected
    assert ("memory." in whose) == (expected != 3000 * 1024)


def test_nothing_is_claimed_where_nobody_says(tmp_path):
    assert free_memory(tmp_path, tmp_path) is None


def test_this_machine_says_something():
    left, _ = free_memory()
    assert MIB < left < 2**50


@pytest.mark.mpi
@pytest.mark.parametrize("most", [1000, 3 * MIB])
def test_ranks_of_a_node_are_added(comm, monkeypatch, most):
    """With the program of each."""
    left = (most + placement.PROGRAM) * comm.size
    monkeypatch.setattr(placement, "free_memory", lambda: (left, "a limit"))
    communicator = Communicator(comm)
    device = place("cpu", communicator)
    check_memory(most, device, communicator)
    with pytest.raises(ConfigError, match=r"of memory free \(a limit\), .* for \d rank\(s\)"):
        check_memory(most + 1, device, communicator)


LARGE = ["lattice.shape=[200000, 200000]", "tracers.number=0", "output.trajectory_every=0"]


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_a_lattice_for_another_machine_is_refused_before_anything_is_written(launch, tmp_path, dry):
    (tmp_path / "large.toml").write_text("")
    changes = [word for change in LARGE for word in ("--set", change)]
    done = launch("-m", "epmpi.cli", "run", "large.toml", *dry, *changes, cwd=tmp_path)
    assert done.returncode == 2
    assert "of memory free" in done.stderr.splitlines()[-1]
    assert "use more nodes, a higher limit" in done.stderr
    assert ("memory   0.98" in done.stdout) == bool(dry)
    assert [path.name for path in tmp_path.iterdir()] == ["large.toml"]


def test_analyse_asks_before_it_reads_fields(tmp_path, monkeypatch):
    fields = {"lattice": {"shape": [16, 12]}, "tracers": {"number": 0}}
    fields |= {"time": {"warmup": 0.0, "duration": 2.0}}
    fields |= {"output": {"fields_every": 1.0, "trajectory_every": 0.0}}
    run = Simulation(from_mapping(fields)).run(tmp_path / "run", progress=False)
    before = sorted(run.iterdir())
    monkeypatch.setattr(report, "free_memory", lambda: (4000, "a limit"))
    with pytest.raises(AnalysisError, match=r"4\.5 KiB are needed, 3\.91 KiB are free \(a limit\)"):
        analyse(run)
    assert sorted(run.iterdir()) == before


def test_units():
    said = [host_memory.in_bytes(n) for n in (5, 2048, 3 * MIB, 2**31, 1010 * 2**30, 1.7 * 2**40)]
    assert said == ["5 B", "2 KiB", "3 MiB", "2 GiB", "0.986 TiB", "1.7 TiB"]
