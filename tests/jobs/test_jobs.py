"""The job scripts, checked by shellcheck and run through a stand-in for SLURM."""

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import launching
import pytest
from killed_at_start import kill_at_start

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "jobs").glob("*.sh"))
RUNS = ["cpu_nodes.sh", "gpu_node.sh", "gpu_nodes.sh", "campaign.sh"]
SCALING = ["strong_scaling.sh", "weak_scaling.sh"]
# A launcher that runs one process in place of all ranks.
ONE_PROCESS = ["bash", "-c", 'shift 2; exec "$@"', "launcher"]

# In place of epmpi: notes its arguments, makes a checkpoint, and stops on SIGUSR1 with exit code
# 75; a new run with STUB_WAITS continues until that signal comes.
STUB = """\
#!/usr/bin/env bash
echo "$*" >> "$STAND_IN_FOLDER/calls"
[[ -z ${STUB_FAILS:-} ]] || exit 3
trap 'echo stopped >> "$STAND_IN_FOLDER/calls"; exit 75' USR1
if [[ $1 == run ]]; then
    mkdir -p "$4"
    touch "$4/checkpoint.h5"
    while [[ -n ${STUB_WAITS:-} ]]; do sleep 0.02; done
fi
"""

TINY = """\
[lattice]
shape = [16, 16]
[tracers]
number = 16
[time]
warmup = 1.0
duration = 4.0
"""


class Site:
    """A folder with a configuration, and SLURM's commands on the path."""

    def __init__(self, folder: Path, launcher: list[str], stub: bool) -> None:
        self.folder = folder
        self.notes = folder / "slurm"
        self.notes.mkdir()
        programs = folder / "bin"
        programs.mkdir()
        stand_in = Path(__file__).with_name("stand_in_slurm.py")
        for name in ("sbatch", "srun", "scontrol", "module"):
            write_program(programs / name, f'exec {sys.executable} {stand_in} {name} "$@"\n')
        if stub:
            write_program(programs / "epmpi", STUB)
        (folder / "tiny.toml").write_text(TINY)
        path = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.env = launching.environment(
            PATH=path,
            STAND_IN_FOLDER=str(self.notes),
            STAND_IN_LAUNCHER=json.dumps(launcher),
            EPMPI_JOBS=str(ROOT / "jobs"),
            SITE_VENV="",
            CONFIG="tiny.toml",
            RUN="run",
        )

    def sbatch(self, script: str | Path, *options: str, **variables: str) -> int:
        """Submit a job, wait for it, and return its exit code."""
        path = ROOT / "jobs" / script
        done = launching.run(
            ["sbatch", *options, str(path)],
            timeout=120,
            env=self.env | variables,
            cwd=self.folder,
        )
        assert done.stdout.startswith("Submitted batch job"), done.stderr
        return done.returncode

    def calls(self) -> list[str]:
        """Return the arguments of each call of the stub."""
        return (self.notes / "calls").read_text().splitlines()

    def output(self) -> str:
        """Return what the jobs printed."""
        return "".join(file.read_text() for file in sorted(self.folder.glob("*.out")))


def write_program(file: Path, text: str) -> None:
    file.write_text(text if text.startswith("#!") else f"#!/usr/bin/env bash\n{text}")
    file.chmod(0o755)


@pytest.fixture
def site(tmp_path):
    """Return a site whose epmpi is a stub, without MPI."""
    return Site(tmp_path, ONE_PROCESS, stub=True)


@pytest.fixture
def real_site(tmp_path):
    """Return a site that runs the real epmpi under the local launcher."""
    return Site(tmp_path, launching.mpiexec(), stub=False)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(script):
    done = subprocess.run(
        [Path(sys.executable).with_name("shellcheck"), "--external-sources", script],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", RUNS + SCALING)
def test_scripts_that_are_submitted_are_executable_and_say_how(script):
    path = ROOT / "jobs" / script
    assert os.access(path, os.X_OK)
    header = path.read_text().split("set -euo pipefail")[0]
    assert "sbatch" in header


def test_a_new_run_is_started_with_its_settings(site):
    assert site.sbatch("cpu_nodes.sh", SETTINGS="time.duration=2.0 run.seed=5") == 0
    settings = "--set run.device=cpu --set time.duration=2.0 --set run.seed=5"
    assert site.calls() == [f"run tiny.toml -o run {settings}"]


def test_a_run_that_is_there_is_resumed(site):
    site.sbatch("cpu_nodes.sh")
    assert site.sbatch("cpu_nodes.sh") == 0
    assert site.calls()[1:] == ["resume run"]


def test_the_name_of_a_run_is_that_of_its_configuration(site):
    assert site.sbatch("cpu_nodes.sh", RUN="") == 0
    assert "-o runs/tiny " in site.calls()[0]


def test_a_job_whose_time_is_up_is_requeued_and_resumed(site):
    checkpoint = str(site.folder / "run/checkpoint.h5")
    assert site.sbatch("cpu_nodes.sh", STUB_WAITS="yes", STAND_IN_SIGNAL_WHEN=checkpoint) == 0
    calls = site.calls()
    assert [call.split()[0] for call in calls] == ["run", "stopped", "resume"]
    assert "goes back into the queue" in site.output()


def test_restarts_are_bounded(site):
    checkpoint = str(site.folder / "run/checkpoint.h5")
    code = site.sbatch(
        "cpu_nodes.sh", STUB_WAITS="yes", STAND_IN_SIGNAL_WHEN=checkpoint, MOST_RESTARTS="0"
    )
    assert code == 75
    assert "not requeued" in site.output()
    assert len(site.calls()) == 2  # run, stopped


def test_a_run_that_fails_is_not_requeued_and_its_code_is_that_of_the_job(site):
    assert site.sbatch("cpu_nodes.sh", STUB_FAILS="yes") == 3
    assert len(site.calls()) == 1


def test_a_missing_configuration_is_reported(site):
    del site.env["CONFIG"]
    assert site.sbatch("cpu_nodes.sh") != 0
    assert "set CONFIG" in site.output()


def test_modules_and_options_of_the_site_are_used(site):
    code = site.sbatch(
        "gpu_nodes.sh",
        SITE_MODULES="gcc/13 openmpi/5.0",
        SITE_MPI="pmix",
        SITE_SRUN_OPTIONS="--distribution=block:block",
    )
    assert code == 0
    loaded = (site.notes / "module.log").read_text().splitlines()
    assert loaded == ["load gcc/13", "load openmpi/5.0"]
    (call,) = (site.notes / "srun.log").read_text().splitlines()
    options = {"mpi": "pmix", "cpu-bind": "cores", "distribution": "block:block"}
    assert json.loads(call)["options"] == options


@pytest.mark.parametrize(
    ("script", "options", "ranks", "gpus"),
    [
        ("gpu_node.sh", [], 4, "4"),
        ("gpu_node.sh", ["--ntasks-per-node=8", "--gpus-per-node=8"], 8, "8"),
        ("gpu_nodes.sh", ["--nodes=8"], 32, "4"),
    ],
)
def test_gpu_jobs_ask_for_one_rank_a_gpu(site, script, options, ranks, gpus):
    assert site.sbatch(script, *options) == 0
    (file,) = site.notes.glob("job-*/options.json")
    asked = json.loads(file.read_text())
    assert (asked["wanted"], asked["gpus-per-node"]) == (ranks, gpus)
    assert "--set run.device=gpu" in site.calls()[0]


def test_a_campaign_runs_every_temperature_with_every_seed(site):
    code = site.sbatch(
        "campaign.sh", "--array=0-3%2", TEMPERATURES="0.07 0.1", SEEDS="3 8", RUNS="all"
    )
    assert code == 0
    assert site.calls() == [
        f"run tiny.toml -o all/T{t}-seed{s} --set model.temperature={t} --set run.seed={s}"
        for t in ("0.07", "0.1")
        for s in (3, 8)
    ]


def test_a_campaign_with_too_many_tasks_says_how_many_there_are(site):
    code = site.sbatch("campaign.sh", "--array=2-2", TEMPERATURES="0.1", SEEDS="1 2")
    assert code == 2
    assert "--array=0-1" in site.output()


def test_a_run_is_stopped_by_the_signal_and_completed_by_the_next_start(real_site):
    checkpoint = str(real_site.folder / "run/checkpoint.h5")
    # One rank: on a machine with other work, two that wait for each other would take long.
    code = real_site.sbatch(
        "cpu_nodes.sh",
        SETTINGS="time.duration=300.0",
        STAND_IN_SIGNAL_WHEN=checkpoint,
        STAND_IN_RANKS="1",
    )
    assert code == 0, real_site.output()
    assert "goes back into the queue" in real_site.output()
    started = [json.loads(line) for line in (real_site.notes / "srun.log").open()]
    assert [call["command"][:2] for call in started] == [["epmpi", "run"], ["epmpi", "resume"]]
    with h5py.File(real_site.folder / "run/run.h5") as file:
        assert file["observables/activity/time"][-1] == pytest.approx(300.0)


@pytest.mark.parametrize("moment", ["before run.h5", "with run.h5"])
def test_a_run_killed_before_its_first_checkpoint_is_begun_anew(real_site, launch, moment):
    """A node that dies in the first seconds of a job leaves nothing that stops the next one."""
    run = kill_at_start(launch, real_site.folder / "tiny.toml", moment)
    assert real_site.sbatch("cpu_nodes.sh", STAND_IN_RANKS="1") == 0, real_site.output()
    with h5py.File(run / "run.h5") as file:
        assert "finished" in file["parameters"].attrs


@pytest.mark.ci
@pytest.mark.parametrize("script", ["gpu_node.sh", "gpu_nodes.sh"])
def test_gpu_scripts_run_on_the_cores(real_site, script):
    assert real_site.sbatch(script, DEVICE="cpu") == 0, real_site.output()
    with h5py.File(real_site.folder / "run/run.h5") as file:
        assert file["parameters"].attrs["ranks"] == 2


def test_gpus_are_refused_in_one_line_as_the_scripts_say(real_site):
    assert real_site.sbatch("gpu_node.sh") == 2
    assert "run.device" in real_site.output()


@pytest.mark.ci
def test_a_task_of_a_campaign(real_site):
    code = real_site.sbatch("campaign.sh", "--array=1-1", TEMPERATURES="0.1 0.2", SEEDS="7")
    assert code == 0, real_site.output()
    with h5py.File(real_site.folder / "runs/tiny/T0.2-seed7/run.h5") as file:
        assert file["parameters/model"].attrs["temperature"] == 0.2
        assert file["parameters"].attrs["seed"] == 7


@pytest.mark.ci
@pytest.mark.parametrize(
    ("script", "sizes"), [("strong_scaling.sh", "32"), ("weak_scaling.sh", "24")]
)
def test_scaling_jobs_measure_and_plot(real_site, script, sizes):
    options = "--rounds 1 --tracers 16 --warmup 5 --steps 5"
    assert real_site.sbatch(script, SIZES=sizes, OPTIONS=options) == 0, real_site.output()
    (rows,) = (real_site.folder / "runs/scaling").glob("*.csv")
    assert len(rows.read_text().splitlines()) == 3  # header, one rank, two ranks
    assert rows.with_suffix(".png").stat().st_size > 10_000
