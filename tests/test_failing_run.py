"""A rank that fails ends the whole run, with its traceback and a non-zero code, within seconds."""

import time

PROGRAM = """
import sys
import time
from epmpi.cli import main
from epmpi.model.model import Model
from epmpi.parallel import Communicator

advance = Model.advance

def failing(model, until):
    if model.step_count == 3 and Communicator.world().rank == 1:
        sys.stderr.write(f"failed at {time.time()}\\n")
        raise ArithmeticError("the ice is broken")
    advance(model, model.step_count + 1)

Model.advance = failing
sys.exit(main(["run", "a.toml", "-o", "out"]))
"""


def test_one_rank_ends_all(launch, tmp_path):
    (tmp_path / "a.toml").write_text(
        "lattice.shape = [16, 16]\ntracers.number = 10\ntime.warmup = 0\n"
    )
    (tmp_path / "program.py").write_text(PROGRAM)
    done = launch("program.py", ranks=3, cwd=tmp_path, timeout=200)
    assert done.returncode not in (0, None)
    assert "rank 1 of 3" in done.stderr
    assert "ArithmeticError: the ice is broken" in done.stderr
    assert "failing" in done.stderr
    told = float(done.stderr.split("failed at ")[1].split()[0])
    assert time.time() - told < 20  # from the failure to the end of all ranks
