"""A machine without an MPI library, or with another one than the launcher's."""

import h5py
import numpy as np
import pytest

from epmpi.parallel import mpi_library

TINY = """
[lattice]
shape = [16, 12]
[tracers]
number = 10
[time]
warmup = 1.0
duration = 2.0
[output]
series_every = 0.5
trajectory_every = 0.5
fields_every = 1.0
"""
# An mpi4py that was built from source says so when its library is missing; a wheel looks for it.
BUILT_FROM_SOURCE = (
    "raise ImportError('libmpi.so.12: cannot open shared object file: No such file or directory')"
)


@pytest.fixture(params=["wheel", pytest.param("source", marks=pytest.mark.ci)])
def without_mpi(request, tmp_path):
    """Return the environment of a process that finds no MPI library."""
    if request.param == "wheel":
        return {"MPI4PY_LIBMPI": "/nowhere/libmpi.so"}
    package = tmp_path / "site" / "mpi4py"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("class rc:\n    initialize, finalize = True, None\n")
    (package / "MPI.py").write_text(BUILT_FROM_SOURCE)
    return {"PYTHONPATH": str(tmp_path / "site")}


@pytest.fixture
def epmpi(launch, tmp_path):
    """Return a function that runs one command."""
    (tmp_path / "tiny.toml").write_text(TINY)

    def run(*arguments, **variables):
        return launch("-m", "epmpi.cli", *arguments, cwd=tmp_path, **variables)

    return run


def test_one_rank_needs_no_library(epmpi, without_mpi, tmp_path):
    done = epmpi("run", "tiny.toml", "-o", "without", **without_mpi)
    assert done.returncode == 0, done.stderr
    [said] = [line for line in done.stderr.splitlines() if "no MPI library" in line]
    assert "pip install mpich" in said
    assert epmpi("run", "tiny.toml", "-o", "with").returncode == 0
    with h5py.File(tmp_path / "without/run.h5") as a, h5py.File(tmp_path / "with/run.h5") as b:
        for name in ("fields/stress/value", "particles/tracers/position/value"):
            assert np.array_equal(a[name][...], b[name][...])
        assert a["parameters"].attrs["mpi_library"] == b"none"
    changes = ["--set", "time.duration=3"]
    for command in (
        ["resume", "without", *changes],
        ["analyse", "without"],
        ["export", "without"],
        ["watch", "--once", "without"],
    ):
        done = epmpi(*command, **without_mpi)
        assert done.returncode == 0, (command, done.stderr)
        assert "Traceback" not in done.stderr
    ensemble = ["run", "tiny.toml", "-o", "ensemble", "--set", "run.replicas=2"]
    assert epmpi(*ensemble, **without_mpi).returncode == 0


def test_the_machine_is_described_without_a_library(epmpi, without_mpi):
    done = epmpi("info", **without_mpi)
    assert done.returncode == 0
    assert "none, 1 rank(s)" in done.stdout
    assert len(done.stderr.splitlines()) == 1


def test_the_package_is_imported_without_a_library(launch, without_mpi):
    done = launch("-c", "import epmpi; epmpi.Simulation; epmpi.Ensemble", **without_mpi)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("rank", [0, 1])
def test_several_processes_without_a_library_are_refused_in_one_line(epmpi, without_mpi, rank):
    launcher = {"PMI_SIZE": "2", "PMI_RANK": str(rank)}
    done = epmpi("run", "tiny.toml", **launcher, **without_mpi)
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert len(lines) == 1 - rank
    for line in lines:
        assert line.startswith("epmpi: MPICH's mpiexec started 2 processes (PMI_SIZE=2) but no MPI")
        assert "pip install mpich" in line


@pytest.mark.parametrize(
    "launcher",
    [
        {"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "0"},
        {"SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "0"},
    ],
)
def test_a_launcher_that_the_library_would_die_of_is_refused_before(epmpi, launcher):
    """MPICH says "unsupported PMI version PMIx. Aborting." and a stack of its own."""
    if "MPICH" not in mpi_library.library():
        pytest.skip("needs MPICH")
    done = epmpi("run", "tiny.toml", PMIX_NAMESPACE="prterun-1", PMIX_RANK="0", **launcher)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "started 2 processes" in line
    assert "does not support PMIx" in line


def test_only_a_library_that_does_not_speak_pmix_is_refused(monkeypatch):
    monkeypatch.setenv("PMIX_NAMESPACE", "prterun-1")
    assert mpi_library._unspoken("MPICH Version: 5.0\nMPICH configure: --with-pm=hydra")
    assert not mpi_library._unspoken("MPICH Version: 5.0\nMPICH configure: --with-pmix=/usr")
    assert not mpi_library._unspoken("Open MPI v5.0.6")
    monkeypatch.delenv("PMIX_NAMESPACE")
    assert not mpi_library._unspoken("MPICH Version: 5.0\nMPICH configure: --with-pm=hydra")


LOADED = """
import sys
from epmpi.cli import main
try:
    code = main({arguments})
except SystemExit as end:
    code = end.code
print(*[name for name in ("numba", "llvmlite", "mpi4py") if name in sys.modules], file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return a RUN that has been written."""
    from epmpi import Simulation, from_mapping

    changes = {"lattice": {"shape": [16, 12]}, "tracers": {"number": 10}}
    changes |= {"time": {"warmup": 0.0, "duration": 1.0}}
    directory = tmp_path_factory.mktemp("light") / "run"
    return Simulation(from_mapping(changes)).run(directory, progress=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["--version"],
        ["completion", "bash"],
        ["watch", "--once", "RUN"],
        ["export", "RUN"],
    ],
    ids=" ".join,
)
def test_commands_that_compute_nothing_load_neither_compiler_nor_mpi(launch, written, arguments):
    arguments = [str(written) if word == "RUN" else word for word in arguments]
    done = launch("-c", LOADED.format(arguments=arguments))
    assert done.returncode == 0, done.stderr
    assert done.stdout
    said = done.stderr.splitlines()
    assert [line for line in said if line and not line.startswith("results in ")] == []


def test_info_loads_no_compiler(launch):
    done = launch("-c", LOADED.format(arguments=["info"]))
    assert done.returncode == 0, done.stderr
    assert "GPU" in done.stdout
    assert set(done.stderr.split()) <= {"mpi4py"}


def test_help_is_printed_by_one_process(epmpi):
    first, second = (epmpi("--help", PMI_SIZE="2", PMI_RANK=str(rank)) for rank in (0, 1))
    assert "usage" in first.stdout
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
