"""A stand-in for SLURM on one machine: sbatch, srun, scontrol and module, by the name it has.

It keeps what job scripts rely on: the script is copied to a spool folder before it runs, its
``#SBATCH`` lines are options that the command line replaces, arrays run task by task, a signal can
come before the end, and a job that was requeued starts again.  Options that it does not know are
errors, as they are for SLURM.  It runs at most as many ranks as STAND_IN_RANKS says.

STAND_IN_FOLDER is where it keeps its notes; STAND_IN_SIGNAL_WHEN names a file: once it exists, the
first start of a job gets the signal that its ``--signal`` asks for.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(os.environ["STAND_IN_FOLDER"])
MOST_RANKS = int(os.environ.get("STAND_IN_RANKS", "2"))
SBATCH_OPTIONS = {
    "array", "cpus-per-task", "dependency", "exclusive", "gpus-per-node", "hint", "job-name",
    "nodes", "no-requeue", "ntasks", "ntasks-per-node", "open-mode", "output", "requeue", "signal",
    "time",
}  # fmt: skip
SRUN_OPTIONS = {"mpi", "cpu-bind", "distribution", "nodes", "ntasks"}
TIMEOUT = 60.0


def parse(arguments: list[str], known: set[str]) -> tuple[dict[str, str], list[str]]:
    """Split ``--name=value`` and ``--name`` from the words that follow them."""
    options = {}
    while arguments and arguments[0].startswith("-"):
        name, _, value = arguments[0].removeprefix("--").partition("=")
        if name not in known:
            sys.exit(f"stand-in: unrecognized option '{arguments[0]}'")
        options[name] = value
        arguments = arguments[1:]
    return options, arguments


def directives(script: Path) -> dict[str, str]:
    """Return the options of the #SBATCH lines before the first command."""
    found = []
    for line in script.read_text().splitlines():
        if line and not line.startswith("#"):
            break
        if line.startswith("#SBATCH "):
            found.append(line.removeprefix("#SBATCH ").strip())
    return parse(found, SBATCH_OPTIONS)[0]


def sbatch(arguments: list[str]) -> int:
    """Run a job, or all tasks of an array, to the end; return the largest exit code."""
    given, rest = parse(arguments, SBATCH_OPTIONS)
    script = Path(rest[0])
    options = directives(script) | given
    number = 1000 + len(list(FOLDER.glob("job-*")))
    tasks: list[int | None] = [None]
    if "array" in options:
        first, last = re.fullmatch(r"(\d+)-(\d+)(?:%\d+)?", options["array"]).groups()
        tasks = list(range(int(first), int(last) + 1))
    print(f"Submitted batch job {number}")
    return max(run_job(script, rest[1:], options, number, task) for task in tasks)


def run_job(
    script: Path, arguments: list[str], options: dict[str, str], number: int, task: int | None
) -> int:
    """Run one task from its first start to a start that was not requeued."""
    job = f"{number + (task or 0)}"
    spool = FOLDER / f"job-{job}"
    spool.mkdir()
    copy = shutil.copy(script, spool / "slurm_script")
    nodes = int(options.get("nodes", "1"))
    per_node = int(options.get("ntasks-per-node", "0"))
    wanted = int(options.get("ntasks", nodes * max(per_node, 1)))
    (spool / "options.json").write_text(json.dumps(options | {"wanted": wanted}))
    names = {
        "SLURM_JOB_ID": job,
        "SLURM_SUBMIT_DIR": os.getcwd(),
        "SLURM_NTASKS": str(min(wanted, MOST_RANKS)),
        "SLURM_NNODES": "1",
        "SLURM_CPUS_PER_TASK": options.get("cpus-per-task", "1"),
    }
    if task is not None:
        names |= {"SLURM_ARRAY_JOB_ID": str(number), "SLURM_ARRAY_TASK_ID": str(task)}
    output = options["output"].replace("%x", options["job-name"]).replace("%j", job)
    output = output.replace("%A", str(number)).replace("%a", str(task))
    status = 0
    for start in range(5):
        requeue = FOLDER / f"requeue-{job}"
        requeue.unlink(missing_ok=True)
        with open(output, "a" if options.get("open-mode") == "append" else "w") as log:
            process = subprocess.Popen(
                ["bash", copy, *arguments],
                env=os.environ | names | ({"SLURM_RESTART_COUNT": str(start)} if start else {}),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            status = wait(process, options.get("signal", "") if start == 0 else "")
        if not requeue.exists():
            break
    return status


def wait(process: subprocess.Popen, wanted: str) -> int:
    """Wait for a job; send it its signal once the file STAND_IN_SIGNAL_WHEN is there."""
    when = os.environ.get("STAND_IN_SIGNAL_WHEN")
    end = time.monotonic() + TIMEOUT
    while process.poll() is None:
        if when and wanted and Path(when).exists():
            name = re.fullmatch(r"B:(\w+)@\d+", wanted).group(1)
            process.send_signal(signal.Signals[f"SIG{name}"])
            wanted = ""
        if time.monotonic() > end:
            process.kill()
            sys.exit("stand-in: the job took too long")
        time.sleep(0.02)
    return process.returncode


def srun(arguments: list[str]) -> int:
    """Become the local launcher with as many ranks as the job has."""
    options, command = parse(arguments, SRUN_OPTIONS)
    ranks = int(options.get("ntasks", os.environ["SLURM_NTASKS"]))
    if ranks > int(os.environ["SLURM_NTASKS"]):
        sys.exit("stand-in: more processors requested than permitted")
    with open(FOLDER / "srun.log", "a") as log:
        log.write(json.dumps({"options": options, "command": command}) + "\n")
    # The local launcher would find the job's variables and start its ranks by srun in turn.
    env = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    launcher = json.loads(os.environ["STAND_IN_LAUNCHER"])
    os.execvpe(launcher[0], [*launcher, "-n", str(ranks), *command], env)


def scontrol(arguments: list[str]) -> int:
    """Note that a job is to start again."""
    if arguments[0] != "requeue" or len(arguments) != 2:
        sys.exit(f"stand-in: scontrol {arguments}")
    (FOLDER / f"requeue-{arguments[1]}").touch()
    return 0


def module(arguments: list[str]) -> int:
    """Note what was loaded."""
    with open(FOLDER / "module.log", "a") as log:
        log.write(" ".join(arguments) + "\n")
    return 0


if __name__ == "__main__":
    commands = {"sbatch": sbatch, "srun": srun, "scontrol": scontrol, "module": module}
    sys.exit(commands[sys.argv[1]](sys.argv[2:]))
