"""Programs that are started end when they must, with what they have said."""

import os
import signal
import subprocess
import sys
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
    with pytest.raises(subprocess.TimeoutExpired) as caught:
        launching.run(command, timeout=5.0, env=launching.environment(), cwd=tmp_path)
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
