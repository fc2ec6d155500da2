"""A rank that fails ends the run, with its traceback and a non-zero code, within seconds."""

import time

PROGRAM = """
from epmpi.parallel import Communicator, abort_on_exception

communicator = Communicator.world()
abort_on_exception(communicator)
if communicator.rank == 1:
    raise RuntimeError("the stress of this rank is not a number")
communicator.barrier()
print("passed the barrier")
"""


def test_the_others_do_not_wait_for_a_rank_that_failed(launch):
    start = time.monotonic()
    done = launch("-c", PROGRAM, ranks=3, timeout=120)
    assert time.monotonic() - start < 20
    assert done.returncode != 0
    assert "rank 1 of 3 failed" in done.stderr
    assert "RuntimeError: the stress of this rank is not a number" in done.stderr
    assert "passed the barrier" not in done.stdout
