"""Every example runs in a short form: the file itself, with smaller numbers."""

import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import launching
import pytest

FOLDER = Path(__file__).parents[2] / "examples"
SHORT = (
    "lattice.shape=[16,16]",
    "tracers.number=20",
    "time.warmup=1.0",
    "time.duration=20.0",
)
# A hot system, where much happens, and frames in so short a run.
OFTEN = (
    "model.temperature=0.2",
    "output.trajectory_every=4.0",
    "output.fields_every=1.0",
    "output.waiting_times_every=4.0",
)
ANNEALED = "initial.annealing=[[0.2, 1.0]]"
# The scripts find the command as a user does, on the path, and no display.
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
ENVIRONMENT = launching.environment(PATH=PATH, MPLBACKEND="agg")
pytestmark = pytest.mark.ci


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory):
    """Give a directory with the quick start's run, made on 2 ranks, in runs/quickstart."""
    here = tmp_path_factory.mktemp("examples")
    changes = sets(*SHORT, "time.duration=40.0", "output.fields_every=1.0")
    command(here, "run", FOLDER / "quickstart.toml", *changes, ranks=2)
    return here


def sets(*changes):
    """Return the options of `epmpi run` for changes of the configuration."""
    return [word for change in changes for word in ("--set", change)]


def command(here, *arguments, ranks=None):
    """Run an epmpi command in a directory; return what it printed."""
    return python(here, "-m", "epmpi.cli", *arguments, ranks=ranks)


def python(here, *arguments, ranks=None):
    """Run this Python in a directory; return what it printed."""
    return finished(launching.python(*map(str, arguments), ranks=ranks), here).stdout


def finished(line, here):
    """Run a program in a directory to its good end."""
    done = launching.run(line, timeout=600.0, env=ENVIRONMENT, cwd=here)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def shortened(name, folder, **numbers):
    """Copy a configuration with other values of some keys, each of which is there once."""
    text = (FOLDER / name).read_text()
    for key, value in numbers.items():
        text, times = re.subn(rf'^("?[\w.]*{key}"? = ).*$', rf"\g<1>{value}", text, flags=re.M)
        assert times == 1, key
    (folder / name).write_text(text)
    return folder / name


def test_all_are_here():
    names = sorted(path.name for path in FOLDER.glob("0*"))
    assert [name[:2] for name in names] == [f"0{number}" for number in range(1, 10)]
    assert all("mpiexec" in (FOLDER / name).read_text() for name in names)


def test_01_quickstart(tmp_path):
    printed = python(tmp_path, FOLDER / "01_quickstart.py", *SHORT, ranks=2)
    assert re.search(r"^activity +0\.\d+ \+- ", printed, re.M)
    assert re.search(r"^D\(4\) +[\d.e-]+$", printed, re.M)
    assert (tmp_path / "runs" / "01_quickstart" / "diffusion.png").exists()


def test_02_low_temperature_caging(tmp_path):
    name = "02_low_temperature_caging"
    command(tmp_path, "run", FOLDER / f"{name}.toml", *sets(*SHORT, *OFTEN, ANNEALED), ranks=2)
    command(tmp_path, "analyse", f"runs/{name}")
    for figure in ("diffusion", "statistics"):  # what its header tells to look at
        assert (tmp_path / "runs" / name / f"{figure}.png").exists()


def test_03_random_against_thermal(tmp_path):
    script = FOLDER / "03_random_against_thermal.py"
    changes = (*SHORT, "time.duration=100.0", *OFTEN)
    printed = python(tmp_path, script, *changes, ranks=2)
    [thermal, random] = re.findall(r"activity (\S+)", printed)
    assert float(thermal) == pytest.approx(float(random), rel=0.2)
    assert (tmp_path / "runs" / script.stem / "diffusion.png").exists()


@pytest.mark.parametrize(
    ("name", "grid"),
    [
        ("04_sheared_flow_curve.toml", {"shape": "[16, 16]", "strain_rate": "[0.05, 0.1]"}),
        ("05_finite_size_scan.toml", {"shape": "[[16, 16], [32, 32]]", "number": "50"}),
    ],
)
def test_04_and_05_scans(tmp_path, name, grid):
    campaign = shortened(name, tmp_path, warmup="1.0", duration="40.0", **grid)
    printed = command(tmp_path, "scan", campaign, "--workers", 1)
    assert "activity" in printed
    results = tmp_path / "scans" / Path(name).stem
    assert list(results.glob("*.png"))
    assert len(list((results / "runs").glob("*/run.h5"))) == (4 if name.startswith("04") else 2)


def test_06_resume_and_extend(tmp_path):
    (tmp_path / "examples").symlink_to(FOLDER)
    script = tmp_path / "examples" / "06_resume_and_extend.sh"
    # The limit ends the first run on its way: it has some seconds of steps to take.
    settings = ("3.0", "6000.0", "6010.0", "lattice.shape=[16,16]", "tracers.number=20")
    said = finished(["sh", str(script), *settings, "time.warmup=1.0"], tmp_path)
    assert said.stderr.count("continue with: epmpi resume runs/06_resume_and_extend") == 1
    assert said.stdout.count("from step") == 2
    with h5py.File(tmp_path / "runs" / "06_resume_and_extend" / "run.h5") as file:
        assert file["observables/activity/time"][-1] == 6010.0
        assert "finished" in file["parameters"].attrs


def test_07_live_plot_from_before_the_run_begins_to_its_end(tmp_path):
    script, run, png = FOLDER / "07_live_plot.py", "runs/quickstart", tmp_path / "live.png"
    line = launching.python(str(script), run, "--png", str(png), "--every", "0.1")
    with subprocess.Popen(line, env=ENVIRONMENT, cwd=tmp_path, text=True, stdout=-1) as plot:
        command(tmp_path, "run", FOLDER / "quickstart.toml", *sets(*SHORT))
        printed, _ = plot.communicate(timeout=600.0)
    assert plot.returncode == 0
    assert printed.splitlines()[-1].endswith(f"looks; the last is in {png}")
    assert png.stat().st_size > 1000


def test_08_reading_results(quickstart):
    command(quickstart, "export", "runs/quickstart")
    printed = python(quickstart, FOLDER / "08_reading_results.py", "runs/quickstart")
    assert re.search(r"^T = 0\.1: activity 0\.\d+ over 40 tau$", printed, re.M)
    assert "stress in units of the yield stress" in printed
    assert re.search(r"^20 tracers: <dr\^2> = \S+ at t = 40$", printed, re.M)


def test_09_exact_clock(tmp_path):
    """Warmer and smaller: quiet at T = 0.03, nothing would happen in a short time."""
    changes = sets(
        "lattice.shape=[32, 32]", "tracers.number=64", "model.temperature=0.06",
        "initial.annealing=[[0.1, 10.0]]", "time.warmup=100.0", "time.duration=2000.0",
        "output.series_every=10.0", "output.trajectory_every=200.0", "output.fields_every=100.0",
        "output.waiting_times_every=100.0",
    )  # fmt: skip
    command(tmp_path, "run", FOLDER / "09_exact_clock.toml", *changes)
    assert "activity" in command(tmp_path, "analyse", "runs/09_exact_clock")
