"""Programs that are started end when they must, with what they have said."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import launching
import pytest

LEAVES = """
import subprocess, sys, time
child = subprocess.Popen(["sleep", "300"], start_new_session=True)
print(child.pid, flush=True)
print("in vain", file=sys.stderr, flush=True)
time.sleep(300)
"""


def test_what_has_left_the_group_and_holds_the_pipes_is_not_waited_for(tmp_path):
    command = [sys.executable, "-c", LEAVES]
    began = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired) as caught:
        launching.run(command, timeout=4.0, env=launching.environment(), cwd=tmp_path)
    assert time.monotonic() - began < 10.0
    child = int(caught.value.output)
    assert caught.value.stderr == "in vain\n"
    assert Path(f"/proc/{child}").exists()  # it has been left alone
    os.kill(child, signal.SIGKILL)


def test_outputs_and_exit_code_come_back(tmp_path):
    program = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    done = launching.run(
        [sys.executable, "-c", program], timeout=60.0, env=launching.environment(), cwd=tmp_path
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_what_a_launcher_tells_its_ranks_is_not_passed_on(monkeypatch):
    """Also what Open MPI writes into a process that no launcher started: the first three."""
    marks = {
        "OMPI_MCA_ess": "singleton",
        "OMPI_MCA_orte_launch": "1",
        "ORTE_SCHIZO_DETECTION": "ORTE",
        "OMPI_COMM_WORLD_RANK": "1",
        "PMIX_RANK": "1",
        "PMI_RANK": "1",
    }
    settings = {"OMPI_MCA_btl": "self,tcp", "OMPI_MCA_orte_base_help_aggregate": "0"}
    for name, value in (marks | settings).items():
        monkeypatch.setenv(name, value)
    passed_on = launching.environment()
    assert not set(marks) & set(passed_on)
    assert settings.items() <= passed_on.items()


def test_a_process_that_runs_mpi_may_start_one_that_starts_ranks(tmp_path):
    """As pytest with its workers does: MPI writes into the environment of the processes to come."""
    (tmp_path / "launches.py").write_text(
        "import launching\n"
        "size = 'from mpi4py import MPI; print(MPI.COMM_WORLD.size)'\n"
        "command = launching.python('-c', size, ranks=2)\n"
        "done = launching.run(command, timeout=100, env=launching.environment())\n"
        "print(done.stdout, done.stderr)\n"
    )
    program = (
        "import subprocess, sys\n"
        "from mpi4py import MPI\n"
        "raise SystemExit(subprocess.call([sys.executable, 'launches.py']))\n"
    )
    path = os.pathsep.join(sys.path)
    done = launching.run(
        [sys.executable, "-c", program],
        timeout=120.0,
        env=launching.environment(PYTHONPATH=path),
        cwd=tmp_path,
    )
    assert "".join(done.stdout.split()) == "22", done.stdout + done.stderr
