"""The kind of arithmetic, which determines the last bits: recorded, with a warning at a change."""

import os

import h5py
import pytest
from same_runs import differences

from epmpi.config import from_mapping
from epmpi.devices import CPU
from epmpi.output.provenance import mixed_bits, other_bits
from epmpi.run import recorder
from epmpi.run.simulation import Simulation

TOLD = "from epmpi.devices.cpu.arithmetic import arithmetic; print(arithmetic())"
SMALL = {
    "lattice": {"shape": [16, 12]},
    "tracers": {"number": 0},
    "time": {"warmup": 0.0, "duration": 2.0},
    "output": {"trajectory_every": 0.0},
}


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="names of processors are those of x86")
@pytest.mark.parametrize(
    ("name", "features", "kind"),
    [
        ("x86-64-v2", "", "separate"),
        ("x86-64-v3", "", "fused"),
        ("skylake-avx512", "", "fused"),
        ("x86-64-v2", "+avx,+fma", "fused"),
        ("haswell", "-fma", "separate"),
    ],
)
def test_it_is_that_of_the_code_that_is_made(launch, name, features, kind):
    done = launch("-c", TOLD, NUMBA_CPU_NAME=name, NUMBA_CPU_FEATURES=features)
    assert done.stdout == f"x86_64, {kind} multiply-adds\n", done.stderr


@pytest.mark.ci
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="names of processors are those of x86")
def test_the_setting_for_the_same_bits_hides_the_processor(launch, tmp_path):
    """NumPy and the C library, which choose code for the processor themselves, change nothing."""
    (tmp_path / "small.toml").write_text(
        "lattice.shape = [32, 28]\nmodel.temperature = 0.2\ntracers.number = 50\n"
        "time.warmup = 0.0\ntime.duration = 10.0\n"
    )
    setting = {"NUMBA_CPU_NAME": "x86-64-v2", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": "code"}
    old = {
        "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX X86_V3 X86_V4",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F",
    }
    for run, processor in (("new", {}), ("old", old)):
        command = ("-m", "epmpi.cli", "run", "small.toml", "-o", run)
        done = launch(*command, cwd=tmp_path, timeout=900.0, **setting, **processor)
        assert done.returncode == 0, done.stderr
    assert differences(tmp_path / "new", tmp_path / "old") == []


def test_changes_are_reported(tmp_path, capfd, monkeypatch):
    run = Simulation(from_mapping(SMALL)).run(tmp_path / "run", progress=False)
    Simulation.resume(run, ["time.duration=3.0"]).run(progress=False)
    assert "last bits" not in capfd.readouterr().err
    with h5py.File(run / "run.h5") as file:
        known = file["parameters"].attrs
        assert known["arithmetic"].decode() == CPU().arithmetic()[0]
        assert ": " in known["processor"].decode()
    monkeypatch.setattr(CPU, "arithmetic", lambda self: ("another kind", "another: one"))
    collect = recorder.collect
    monkeypatch.setattr(
        recorder, "collect", lambda *known: collect(*known) | {"epmpi_version": "9.9"}
    )
    Simulation.resume(run, ["time.duration=4.0"]).run(progress=False)
    said = capfd.readouterr().err
    assert said.count("-> 9.9; arithmetic ") == 1
    assert "-> another kind: the last bits may be others" in said


def test_ranks_of_two_kinds_and_checkpoints_that_say_nothing():
    assert mixed_bits(["a", "b", "a"]).startswith("2 rank(s) with a; 1 rank(s) with b: the last")
    assert mixed_bits(["a", "a"]) == ""
    assert other_bits({"numpy_version": "1"}, {"epmpi_version": "1", "arithmetic": "a"}) == ""
