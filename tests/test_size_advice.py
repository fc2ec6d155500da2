"""Advice on the sides of the lattice: the law against what was measured, and the line."""

import csv
from pathlib import Path

import numpy as np
import pytest

from epmpi.cli import main
from epmpi.config import from_mapping
from epmpi.devices import CPU
from epmpi.devices.cpu.fourier.costs import site_cost
from epmpi.devices.device import Device
from epmpi.run.size_advice import size_advice

MEASURED = Path(__file__).parent.parent / "benchmarks" / "results" / "sides.csv"


def settings(shape, **sections):
    """Return the settings of a short run on a lattice."""
    found = {
        "lattice": {"shape": shape},
        "tracers": {"number": 0},
        "time": {"duration": 0.1, "warmup": 0.0},
        "output": {"series_every": 0.05},
    }
    for name, values in sections.items():
        found[name] = found.get(name, {}) | values
    return from_mapping(found)


def test_the_law_is_that_of_the_benchmark():
    """Within a factor of 1.5 of the measured ratios, from 1 to 10."""
    with MEASURED.open(newline="") as stream:
        measured = {int(row["L"]): float(row["ns_per_site"]) for row in csv.DictReader(stream)}
    assert {700, 709, 720} < set(measured)
    for side, taken in measured.items():
        expected = site_cost((side, side), float) / site_cost((720, 720), float)
        assert np.log(taken / measured[720] / expected) == pytest.approx(0, abs=np.log(1.5))


@pytest.mark.parametrize(
    ("shape", "said", "fast"),
    [
        ([709, 709], "9.7", "[720, 720]"),
        ([1024, 1021], "6.2", "[1024, 1024]"),
        ([74, 128], "3.1", "[75, 128]"),
        ([680, 680], "1.4", "[686, 686]"),
        ([735, 735], "1.4", "[735, 750]"),
    ],
)
def test_slow_sides_are_named_with_the_next_fast_ones(shape, said, fast):
    line = size_advice(settings(shape), CPU())
    assert line.startswith(f"{shape[0]} x {shape[1]} sites have slow transforms: ")
    assert f"about {said} times as long as with the next fast sides, lattice.shape = {fast}" in line
    assert "\n" not in line


@pytest.mark.parametrize("side", [64, 100, 686, 700, 704, 720, 728, 1024])
def test_nothing_is_said_of_sides_that_cost_less_than_a_third_more(side):
    assert size_advice(settings([side, side]), CPU()) == ""


def test_nothing_is_said_where_the_law_does_not_hold():
    """Of tiny lattices, of a transform that the user chose, of a GPU's; less of the exact clock."""

    class GPU(Device):
        """A device of which nothing is known."""

    GPU.__abstractmethods__ = frozenset()
    assert size_advice(settings([709, 709]), GPU()) == ""
    assert size_advice(settings([37, 37]), CPU()) == ""
    assert size_advice(settings([709, 709], run={"fft": "numpy"}), CPU()) == ""
    exact = {"clock": "exact", "step": 0.05}
    assert "about 3.2 times" in size_advice(settings([709, 709], time=exact), CPU())
    assert size_advice(settings([680, 680], time=exact), CPU()) == ""


def test_a_run_and_its_dry_run_say_so_in_their_heads(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("prime.toml").write_text(
        "[lattice]\nshape = [67, 67]\n[tracers]\nnumber = 0\n[time]\nwarmup = 0.0\nduration = 0.1\n"
        "[output]\nseries_every = 0.05\n"
    )
    for options in (["--dry-run"], [], ["--set", "run.replicas=2"]):
        assert main(["run", "prime.toml", "-o", f"run{len(options)}", *options]) == 0
        lines = [line for line in capsys.readouterr().out.splitlines() if "slow transforms" in line]
        assert len(lines) == 1
        assert lines[0].startswith("67 x 67 sites have slow transforms")
        assert "lattice.shape = [70, 70]" in lines[0]
    assert main(["resume", "run0", "--set", "time.duration=0.2"]) == 0
    assert "slow transforms" not in capsys.readouterr().out
