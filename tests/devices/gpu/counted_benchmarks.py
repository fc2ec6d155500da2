"""The programs of `make gpu-session` on a stand-in for a card; run by `tools/ci_gpu.sh`."""

import sys

import pytest
import stand_in_card as card

from benchmarks import batch, memory, roofline, step

SMALL = ["--sizes", "32", "--warmup", "4", "--steps", "2", "--rounds", "1"]
PROGRAMS = {
    "roofline": (roofline, [*SMALL, "--block-mib", "0", "0.01"]),
    "step": (step, [*SMALL, "--tracers", "0", "16"]),
    "batch": (batch, ["--sizes", "16", "--replicas", "2", "--steps", "2", "--rounds", "1"]),
    "memory": (memory, ["--size", "64"]),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_benchmark_runs_to_its_end(name, capsys, monkeypatch):
    program, options = PROGRAMS[name]
    monkeypatch.setattr(sys, "argv", [name, "--device", "gpu", *options])
    found = card.asked(program.main)
    assert found["violations"] == 0
    told = capsys.readouterr().out
    assert "L=" in told
    assert "nan" not in told
