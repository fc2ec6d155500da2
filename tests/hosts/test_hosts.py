"""Runs over two hosts, of one machine: the bits of one rank, and what happens when a host is lost.

A host that dies and a cable that is pulled end the run on every rank, with a line; it goes on from
its checkpoint on whatever hosts there are.
"""

import re
import shutil
import time
from pathlib import Path

import h5py
import pytest
from same_runs import differences
from two_hosts import NUMBERS, ip, lacking, two_hosts

from benchmarks.hosts import WAYS
from epmpi.cli import main
from epmpi.host.exits import STOPPED
from epmpi.output.checkpoint import PREVIOUS
from epmpi.run.simulation import Simulation
from epmpi.spectral.transport import HOST, HOSTS

ROOT = Path(__file__).parents[2]
WHY_NOT = lacking()
pytestmark = [pytest.mark.ci, pytest.mark.skipif(bool(WHY_NOT), reason=f"two hosts: {WHY_NOT}")]
SETTINGS = """
[lattice]
shape = [64, 60]
[model]
temperature = 0.2
[tracers]
number = 300
[time]
warmup = 1.0
duration = 4.0
[output]
trajectory_every = 0.3
fields_every = 2.0
"""
LONG = ["--set", "time.duration=100000", "--set", "output.trajectory_every=1000",
        "--set", "output.fields_every=0", "--set", "output.checkpoint_every=1"]  # fmt: skip
STALL_LIMIT = 10.0  # seconds, of the runs that lose a host; UCX looks for lost hosts after 20
ENDED = STALL_LIMIT + 60.0  # by then every rank has ended; the machine may be busy


@pytest.fixture
def hosts(tmp_path):
    with two_hosts(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Return the run of one rank, and its configuration."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "run.toml").write_text(SETTINGS)
    assert main(["run", str(folder / "run.toml"), "-o", str(folder / "run")]) == 0
    return folder / "run", folder / "run.toml"


def epmpi(hosts, ranks, *words):
    done = hosts.run(ranks, "-m", "epmpi.cli", *words, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("ranks", "exchange"), [(1, HOST), (2, HOSTS)])
def test_the_bits_are_those_of_one_rank(hosts, tmp_path, alone, ranks, exchange):
    run, settings = alone
    epmpi(hosts, ranks, "run", settings, "-o", tmp_path / "run")
    assert differences(tmp_path / "run", run) == []
    # 50 steps, with half the modes of half the rows of a response each way.
    assert all(hosts.sent(number) > 50 * 32 * 15 * 16 for number in NUMBERS)
    with h5py.File(tmp_path / "run" / "run.h5") as file:
        assert file["parameters"].attrs["exchange"].decode() == exchange


def test_a_run_goes_on_on_other_hosts(hosts, tmp_path, alone):
    run, settings = alone
    epmpi(hosts, 1, "run", settings, "-o", tmp_path / "run", "--set", "time.duration=2")
    epmpi(hosts, 2, "resume", tmp_path / "run", "--set", "time.duration=4")
    assert differences(tmp_path / "run", run) == []


def test_an_ensemble_shares_out_the_hosts(hosts, tmp_path, alone):
    _, settings = alone
    words = ["run", str(settings), "--set", "run.replicas=2", "-o"]
    epmpi(hosts, 2, *words, tmp_path / "hosts")
    assert main([*words, str(tmp_path / "here")]) == 0
    replicas = sorted((tmp_path / "here").glob("*/run.h5"))
    assert len(replicas) == 2
    for one in replicas:
        name = one.parent.name
        assert differences(tmp_path / "hosts" / name, one.parent) == []


def test_info_says_what_goes_between_hosts(hosts):
    printed = epmpi(hosts, 2, "info")
    assert "4 rank(s) on 2 host(s)" in printed
    assert HOSTS in printed
    assert "UCX_NET_DEVICES=eth0" in printed


def begun(hosts, tmp_path, settings):
    """Start a long run and wait until it has taken steps and written a checkpoint of them."""
    run = tmp_path / "run"
    limit = ["--set", f"run.stall_limit={STALL_LIMIT}"]
    started = hosts.start(1, "-m", "epmpi.cli", "run", settings, "-o", run, *LONG, *limit)
    end = time.monotonic() + 120
    while not (run / PREVIOUS).exists():
        assert time.monotonic() < end and started.poll() is None, started.communicate()
        time.sleep(0.1)
    return run, started


def assert_all_end(hosts, started, numbers):
    """Check that no process of these hosts is left in time; return what was said."""
    _, said = started.communicate(timeout=ENDED)
    assert started.returncode != 0
    end = time.monotonic() + ENDED
    while left := [ip("netns", "pids", f"{hosts.name}{number}").split() for number in numbers]:
        if not any(left):
            break
        assert time.monotonic() < end, f"still there: {left}"
        time.sleep(0.2)
    return said


def assert_goes_on(run, settings):
    """Resume a run on one rank for a little, and compare it with one that nothing happened to."""
    # Without the lock, which is waited for until no sign of life has come from the lost host.
    copy = shutil.copytree(run, run.parent / "copy", ignore=shutil.ignore_patterns("run.lock"))
    trial = shutil.copytree(copy, run.parent / "trial")
    step = Simulation.resume(trial).model.step_count
    assert step > 0
    duration = f"time.duration={float(step // 10 + 2)}"
    assert main(["resume", str(copy), "--set", duration]) == 0
    whole = run.parent / "whole"
    assert main(["run", str(settings), "-o", str(whole), *LONG, "--set", duration]) == 0
    assert differences(copy, whole) == []


def test_the_ways_between_hosts_are_compared(hosts, monkeypatch):
    """Each of them, without and with tracers; a sparse source travels in fewer bytes as sites."""
    monkeypatch.chdir(ROOT)
    words = ["--size", 128, "--warmup", 2, "--steps", 2, "--rounds", 1]
    done = hosts.run(1, "-m", "benchmarks.hosts", *words, timeout=240)
    row = r"^L=128  tracers=(\d+)  (.*):  ms=\S+  ratio=(\S+)  MB=(\S+)$"
    found = {(tracers, way): (float(ratio), float(sent))
             for tracers, way, ratio, sent in re.findall(row, done.stdout, re.M)}  # fmt: skip
    assert len(found) == 2 * len(WAYS), done.stdout + done.stderr
    for tracers in ("0", "16"):
        assert found[tracers, "as it is"][0] == 1.0
        assert 0 < found[tracers, "as it is"][1] < found[tracers, "spectra, not sites"][1]


def test_a_host_that_dies_ends_the_run(hosts, tmp_path, alone):
    run, started = begun(hosts, tmp_path, alone[1])
    hosts.kill(2)
    assert assert_all_end(hosts, started, (1, 2)).strip()
    assert_goes_on(run, alone[1])


@pytest.mark.parametrize("dies", [False, True])
def test_a_host_that_cannot_be_reached_ends_the_run(hosts, tmp_path, alone, dies):
    """For longer than the limit: nothing comes from there, not even that a connection has ended."""
    run, started = begun(hosts, tmp_path, alone[1])
    hosts.cut(2)
    if dies:
        hosts.kill(2)
    said = assert_all_end(hosts, started, (1, 2))
    assert said.strip()
    if started.returncode == STOPPED:  # else MPI has noticed it first
        assert "no step has ended for" in said
        assert "(run.stall_limit)" in said
    assert_goes_on(run, alone[1])


def test_a_cable_that_is_put_back_in_time_changes_nothing(hosts, tmp_path, alone):
    run, settings = alone
    out = tmp_path / "run"
    started = hosts.start(2, "-m", "epmpi.cli", "run", settings, "-o", out)
    end = time.monotonic() + 120
    while not Path(out / "run.h5").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    hosts.cut(2)
    time.sleep(4)
    hosts.mend(2)
    _, said = started.communicate(timeout=240)
    assert started.returncode == 0, said
    assert differences(out, run) == []
