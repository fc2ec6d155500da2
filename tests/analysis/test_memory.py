"""The trajectory and the fields are never in memory, whatever their length."""

import tracemalloc

import numpy as np
from run_files import brownian

from epmpi.analysis import RunFile, measure, strips

READ = 2**22  # bytes that are read at once
REST = 2**22  # of sums, strips and arithmetic: far less than what is read in the end


def test_no_more_is_held_than_what_is_read_at_once(make_run, monkeypatch):
    monkeypatch.setattr(strips, "READ_BYTES", READ)
    monkeypatch.setattr(strips, "STRIP_BYTES", 2**18)
    stress = np.random.default_rng(1).normal(size=(300, 64, 64))
    position = brownian(300, 3000, 0.1, seed=1)
    assert position.nbytes > 3 * READ
    assert stress.nbytes > 2 * READ
    path = make_run(shape=(64, 64), position=position, fields={"stress": stress})
    del position, stress
    with RunFile(path) as run:
        tracemalloc.start()
        try:
            found = measure(run)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert {"unit_displacement", "stress_correlation"} <= set(found.curves)
    assert peak < READ + REST
