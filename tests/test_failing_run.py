"""A rank that fails ends the whole run, with its traceback and a non-zero code, within seconds."""

import time

PROGRAM = """
import sys
from epmpi.cli import main
from epmpi.model import Model
from epmpi.parallel import Communicator

step = Model.step

def failing_step(model):
    if model.step_count == 3 and Communicator.world().rank == 1:
        raise ArithmeticError("the ice is broken")
    step(model)

Model.step = failing_step
sys.exit(main(["run", "a.toml", "-o", "out"]))
"""


def test_one_rank_ends_all(launch, tmp_path):
    (tmp_path / "a.toml").write_text(
        "lattice.shape = [16, 16]\ntracers.number = 10\ntime.warmup = 0\n"
    )
    (tmp_path / "program.py").write_text(PROGRAM)
    start = time.monotonic()
    done = launch("program.py", ranks=3, cwd=tmp_path, timeout=60)
    assert done.returncode not in (0, None)
    assert "rank 1 of 3" in done.stderr
    assert "ArithmeticError: the ice is broken" in done.stderr
    assert "failing_step" in done.stderr
    assert time.monotonic() - start < 60
