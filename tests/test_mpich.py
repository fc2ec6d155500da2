"""Needs of MPICH on a node: space in /dev/shm, access to the memory of other processes."""

import os
import shutil
import struct
import subprocess
from pathlib import Path
from types import SimpleNamespace

import launching
import pytest

from epmpi.parallel import mpich

# A filter that answers process_vm_readv (310 of x86-64) with EPERM, as containers have it.
FORBIDDEN = """
import ctypes, struct
code = b"".join(
    struct.pack("HBBI", *line)
    for line in (
        (0x20, 0, 0, 0), (0x15, 0, 1, 310), (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7FFF0000)
    )
)
program = struct.pack("HxxxxxxP", 4, ctypes.addressof(room := ctypes.create_string_buffer(code)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.create_string_buffer(program), 0, 0) == 0
"""
EXCHANGE = """
import os
from epmpi.parallel import Communicator, mpich
import numpy as np
communicator = Communicator.world()
from mpi4py import MPI
world, n = MPI.COMM_WORLD, 1 << 20
sent, got = np.full(n, float(world.rank)), np.empty(n)
world.Sendrecv(sent, 1 - world.rank, 0, got, 1 - world.rank, 0)
assert (got == 1 - world.rank).all()
os.write(1, f"{mpich.may_read_others()} {os.environ.get(mpich.CMA)}\\n".encode())  # whole
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="a filter for x86-64")
def test_memory_of_others_that_cannot_be_read_is_left_alone(launch):
    assert struct.calcsize("HxxxxxxP") == 16
    free = launch("-c", EXCHANGE, ranks=2)
    assert free.returncode == 0, free.stderr
    forbidden = launch("-c", FORBIDDEN + EXCHANGE, ranks=2)
    assert forbidden.returncode == 0, forbidden.stderr
    assert forbidden.stdout.splitlines() == ["False 0"] * 2


def test_what_the_user_has_set_stays(monkeypatch):
    monkeypatch.setattr(mpich, "may_read_others", lambda: False)
    monkeypatch.setenv(mpich.CMA, "1")
    mpich.leave_memory_of_others_alone()
    assert os.environ[mpich.CMA] == "1"


def test_systems_that_let_nobody_attach(tmp_path, monkeypatch):
    scope = tmp_path / "scope"
    monkeypatch.setattr(mpich, "YAMA", scope)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for text, expected in (("1\n", False), ("3\n", False), ("2\n", False)):
        scope.write_text(text)
        assert mpich.may_read_others() is expected


@pytest.mark.parametrize(
    ("flag", "free", "ranks", "expected"),
    [
        (0, 2**30, 64, ""),
        (0, 2**20, 2, "has 1 MiB free, MPI needs 3 for 2 rank(s)"),
        (0, 4 * 2**20, 4, "has 4 MiB free, MPI needs 6 for 4 rank(s)"),
        (os.ST_RDONLY, 2**30, 2, "cannot be written to"),
    ],
)
def test_room_for_what_ranks_share(monkeypatch, flag, free, ranks, expected):
    seen = SimpleNamespace(f_flag=flag, f_bavail=free // 4096, f_frsize=4096)
    monkeypatch.setattr(os, "statvfs", lambda path: seen)
    found = mpich.no_room(ranks)
    assert expected in found
    assert bool(found) == bool(expected)


def may_mount():
    tried = (
        subprocess.run(["unshare", "-m", "true"], capture_output=True)
        if shutil.which("unshare")
        else None
    )
    return tried is not None and tried.returncode == 0


@pytest.mark.skipif(not may_mount(), reason="needs the right to mount")
@pytest.mark.parametrize("options", ["size=1m", "size=1g,ro"])
@pytest.mark.parametrize("ranks", [2, 1, None])
def test_a_run_says_what_it_lacks_in_one_line(tmp_path, options, ranks):
    """One rank, with a launcher or without, does without MPI."""
    short = "[lattice]\nshape = [16, 12]\n[tracers]\nnumber = 0\n[time]\nduration = 1.0\n"
    (tmp_path / "tiny.toml").write_text(short)
    command = launching.python("-m", "epmpi.cli", "run", "tiny.toml", "-o", "RUN", ranks=ranks)
    mounted = f'mount -t tmpfs -o {options} tmpfs /dev/shm && exec "$@"'
    done = launching.run(
        ["unshare", "-m", "sh", "-c", mounted, "sh", *command],
        timeout=120, env=launching.environment(), cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == (2 if ranks == 2 else 0), done.stderr
    said = [line for line in done.stderr.splitlines() if "/dev/shm" in line]
    assert len(said) == 1
    assert said[0].startswith("epmpi: ")
    assert "--shm-size" in said[0]
    assert ("use 1 rank" if ranks == 2 else "until then there is one rank") in said[0]
    assert Path(tmp_path, "RUN").exists() == (ranks != 2)
