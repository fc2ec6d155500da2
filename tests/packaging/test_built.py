"""The wheel, built by way of the sdist, in an empty environment and away from the checkout."""

import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import launching
import pytest

ROOT = Path(__file__).parents[2]
CLEAN = launching.environment(PYTHONPATH="", PYTHONSAFEPATH="1")
CONFIGURATION = """
[lattice]
shape = [16, 12]
[tracers]
number = 10
[time]
warmup = 1.0
duration = 4.0
[output]
trajectory_every = 0.5
"""
# What a program of a user's may rely on, and below it what the types must refuse.
PROGRAM = """\
import epmpi
from epmpi.analysis import RunFile, analyse

configuration: epmpi.Configuration = epmpi.load("a.toml", ["run.seed=2"])
simulation = epmpi.Simulation(configuration)
print(simulation.run("runs/typed", progress=False) / "run.h5")
[analysis] = analyse("runs/typed")
value: float = analysis.averages["activity"].value
with RunFile("runs/typed") as run:
    clock, activity = run.series("activity")
    print(value, clock.time[-1], activity.mean())
"""
WRONG = (
    'epmpi.Simulation("a.toml")',
    'simulation.run(3.0)',
    'analysis.averages["activity"].values',
    "epmpi.load()",
)  # fmt: skip
pytestmark = pytest.mark.ci


def finished(*line, cwd, env=CLEAN):
    done = launching.run(list(map(str, line)), timeout=600.0, env=env, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Give the sdist, and the wheel that is made from it."""
    out = tmp_path_factory.mktemp("dist")
    finished(sys.executable, "-m", "build", "--outdir", out, ROOT, cwd=out)
    [sdist], [wheel] = out.glob("*.tar.gz"), out.glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """Give the programs of an empty environment with the wheel and its extra mpi."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check")
    finished(*pip, "install", "--prefer-binary", f"{built[1]}[mpi]", cwd=environment)
    finished(*pip, "check", cwd=environment)
    return environment / "bin"


def test_what_is_in_them(built):
    sdist, wheel = built
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    tracked = subprocess.run(
        ["git", "-C", ROOT, "ls-files"], capture_output=True, text=True, check=True
    )
    assert set(tracked.stdout.split()) - names <= {".ci/run", ".gitignore"}
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    assert {"epmpi/py.typed", "epmpi/revision.txt", "epmpi/devices/gpu/__init__.py"} <= inside
    assert {name.split("/")[0] for name in inside} <= {"epmpi", "epmpi-0.1.0.dist-info"}


def test_the_version_tells_the_revision(installed, tmp_path):
    head = subprocess.run(
        ["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    )
    said = finished(installed / "epmpi", "--version", cwd=tmp_path)
    expected = rf"epmpi \S+ \(git revision {head.stdout.strip()}(-dirty)?\)\n"
    assert re.fullmatch(expected, said)


def test_run_resume_analyse_and_report(installed, tmp_path):
    (tmp_path / "a.toml").write_text(CONFIGURATION)
    epmpi = installed / "epmpi"
    said = finished(installed / "mpiexec", "-n", 2, epmpi, "run", "a.toml", cwd=tmp_path)
    assert "2 ranks" in said
    finished(epmpi, "resume", "runs/a", "--set", "time.duration=8.0", cwd=tmp_path)
    assert "finished" in finished(epmpi, "watch", "runs/a", "--once", cwd=tmp_path)
    said = finished(epmpi, "analyse", "runs/a", "--report", cwd=tmp_path)
    assert "activity" in said
    assert (tmp_path / "runs" / "a" / "report.html").stat().st_size > 10000


def test_a_program_has_types_and_runs(installed, tmp_path):
    (tmp_path / "a.toml").write_text(CONFIGURATION)
    (tmp_path / "program.py").write_text(PROGRAM + "\n".join(WRONG))
    mypy = (sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir=cache")
    line = (*mypy, "--python-executable", str(installed / "python"), "program.py")
    done = launching.run(line, timeout=600.0, env=CLEAN, cwd=tmp_path)
    first = len(PROGRAM.splitlines()) + 1
    lines = [int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line]
    assert lines == list(range(first, first + len(WRONG))), done.stdout
    (tmp_path / "program.py").write_text(PROGRAM)
    said = finished(installed / "python", "program.py", cwd=tmp_path)
    assert said.startswith(str(Path("runs") / "typed" / "run.h5"))


def test_the_tests_of_the_sdist_pass_on_the_wheel(built, installed, tmp_path):
    """Those of the ranks and of the file's layout; the source itself is taken away."""
    with tarfile.open(built[0]) as archive:
        archive.extractall(tmp_path)
    [unpacked] = tmp_path.iterdir()
    (unpacked / "src").rename(tmp_path / "taken-away")
    pip = (installed / "python", "-m", "pip", "--quiet", "--disable-pip-version-check")
    finished(*pip, "install", "--prefer-binary", *TEST_TOOLS, cwd=tmp_path)
    tests = ("tests/test_rank_invariance.py", "tests/output/test_h5md.py")
    runner = (installed / "python", "tools/run_tests.py", "--ranks", "2", *tests)
    # The runner imports what lies beside it; mpi4py-fft is not in this environment.
    beside = launching.environment(PYTHONPATH="", EPMPI_CI="")
    said = finished(*runner, cwd=unpacked, env=beside).splitlines()
    assert re.fullmatch(r"\d\d+ passed, 0 failed(, 6 skipped)?", said[-1]), said[-1]


TEST_TOOLS = [
    word
    for word in re.findall(r'"([\w-]+[^"]*)"', (ROOT / "pyproject.toml").read_text())
    if re.match("pytest|hypothesis", word) and ">=" in word
]


def test_the_environment_of_conda_names_what_the_package_needs():
    """The names and lower bounds of pyproject.toml; conda-forge itself is not asked."""
    text = (ROOT / "environment.yml").read_text()
    project = (ROOT / "pyproject.toml").read_text()
    needs = re.search(r"^dependencies = \[(.*?)^\]", project, re.M | re.S)
    for need in re.findall(r'"(.*?)"', needs[1]):
        assert re.search(rf"^  - {re.escape(need)}$", text, re.M), need
    assert os.linesep.join(("channels:", "  - conda-forge")) in text
