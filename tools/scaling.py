"""Strong and weak scaling of the step over ranks and sizes: measure, write job scripts, plot.

    python tools/scaling.py run --ranks 1 2 --sizes 512 1024 2048 --weak 1024 --csv here.csv
    python tools/scaling.py run --launcher 'srun -n {ranks}' --ranks 1 2 4 8 --sizes 8192 --csv ...
    python tools/scaling.py jobs DIR --ranks 8 16 32 64 --ranks-per-node 8 --gpus-per-node 8 ...
    python tools/scaling.py plot *.csv --plot scaling.png

Each case is one run of ``python -m benchmarks.step``, which appends one row a tracer density to the
CSV file; rows of the same case are replaced by their medians.  Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

import launching
from performance.calibration import CalibrationError, read_rows
from performance.scaling_figure import plot_scaling
from performance.study import Case, cases, command, table

ROOT = Path(__file__).resolve().parent.parent  # where `benchmarks` is found
TIMEOUT = 3600.0  # seconds for one case


def main() -> int:
    """Do what the first argument names."""
    options = parser().parse_args()
    try:
        return options.do(options)
    except CalibrationError as error:
        print(f"scaling: {error}", file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = made.add_subparsers(required=True)

    run = commands.add_parser("run", help="measure all cases, one after the other, and plot")
    add_study(run)
    run.add_argument("--launcher", default=shlex.join(launching.mpiexec()) + " -n {ranks}",
                     help="command before each case (default: %(default)s)")  # fmt: skip
    run.add_argument("--ranks-per-node", type=int, default=1, help="for {nodes} in the launcher")
    run.add_argument("--csv", type=Path, required=True, help="rows are appended to this file")
    run.add_argument("--repeats", type=int, default=1, help="passes over all cases")
    run.add_argument("--plot", type=Path)
    run.add_argument("--dry-run", action="store_true", help="only print the commands")
    run.set_defaults(do=measure)

    jobs = commands.add_parser("jobs", help="write one SLURM script for each number of ranks")
    add_study(jobs)
    jobs.add_argument("folder", type=Path)
    jobs.add_argument("--ranks-per-node", type=int, required=True)
    jobs.add_argument("--gpus-per-node", type=int, default=0)
    jobs.add_argument("--time", default="00:30:00", help="limit of each job")
    jobs.set_defaults(do=write_jobs)

    plot = commands.add_parser("plot", help="table and figure of measured rows")
    plot.add_argument("files", type=Path, nargs="+")
    plot.add_argument("--plot", type=Path)
    plot.set_defaults(do=show)
    return made


def add_study(command_parser: argparse.ArgumentParser) -> None:
    """Add the options that define the cases."""
    add = command_parser.add_argument
    add("--ranks", type=int, nargs="+", default=[1, 2])
    add("--sizes", type=int, nargs="*", default=[], help="L of strong scaling")
    add("--weak", type=int, nargs="*", default=[], help="L on one rank of weak scaling")
    add("--updates", type=int, default=2**24, help="site updates a rank in a round")
    add("--options", default="", help="more options of benchmarks.step, in one argument")


def measure(options: argparse.Namespace) -> int:
    """Run all cases; go on after one that fails, and tell so in the exit code."""
    failed = 0
    study = cases(options.ranks, options.sizes, options.weak)
    options.csv.parent.mkdir(parents=True, exist_ok=True)
    for case in study * options.repeats:
        line = command(
            case, options.launcher, options.ranks_per_node, options.csv.absolute(),
            options.updates, options.options,
        )  # fmt: skip
        print(f"L = {case.length}, {case.ranks} ranks: {shlex.join(line)}", flush=True)
        if not options.dry_run:
            failed += not run_case(line)
    if options.dry_run or not study:
        return 0
    return show(argparse.Namespace(files=[options.csv], plot=options.plot)) or int(failed > 0)


def run_case(line: list[str]) -> bool:
    """Run one case and tell whether it succeeded."""
    try:
        done = launching.run(line, timeout=TIMEOUT, env=launching.environment(), cwd=ROOT)
    except subprocess.TimeoutExpired:
        print(f"  ended after {TIMEOUT:.0f} s", flush=True)
        return False
    print(done.stdout, end="", flush=True)
    if done.returncode != 0:
        print(f"  failed with exit code {done.returncode}:\n{done.stderr}", flush=True)
    return done.returncode == 0


JOB = """\
#!/usr/bin/env bash
# Scaling study on {ranks} ranks, written by tools/scaling.py; settings of the site: jobs/site.sh.
# Submit from the root of the repository, or set EPMPI_JOBS to its jobs folder.
#SBATCH --job-name=epmpi-scaling-{ranks}
#SBATCH --nodes={nodes}
#SBATCH --ntasks-per-node={per_node}
#SBATCH --time={time}
#SBATCH --output=%x-%j.out
#SBATCH --exclusive
{gpus}set -euo pipefail
jobs="${{EPMPI_JOBS:-${{SLURM_SUBMIT_DIR:-.}}/jobs}}"
# shellcheck source=/dev/null
source "$jobs/site.sh"

site_setup
python "$jobs/../tools/scaling.py" run --launcher "$(site_launcher)" \\
    --ranks-per-node {per_node} {arguments} \\
    --csv "${{RESULTS:-runs/scaling}}/scaling-{ranks}-$SLURM_JOB_ID.csv"
"""


def write_jobs(options: argparse.Namespace) -> int:
    """Write the scripts, so that each number of ranks holds only the nodes that it needs."""
    options.folder.mkdir(parents=True, exist_ok=True)
    for ranks in sorted(set(options.ranks)):
        found = cases([ranks], options.sizes, options.weak)
        if not found:
            print(f"{ranks} ranks: no lattice has lines enough")
            continue
        file = options.folder / f"scaling-{ranks}.sh"
        file.write_text(job_text(options, ranks, found))
        file.chmod(0o755)
        print(f"sbatch {file}")
    return 0


def job_text(options: argparse.Namespace, ranks: int, found: list[Case]) -> str:
    """Return the script of one number of ranks; all its lattices are given by their size."""
    arguments = ["--ranks", ranks, "--sizes", *(case.length for case in found)]
    arguments += ["--updates", options.updates, "--options", options.options]
    per_node = min(ranks, options.ranks_per_node)
    gpus = min(per_node, options.gpus_per_node)
    return JOB.format(
        ranks=ranks,
        nodes=-(-ranks // per_node),
        per_node=per_node,
        time=options.time,
        gpus=f"#SBATCH --gpus-per-node={gpus}\n" if gpus else "",
        arguments=shlex.join(map(str, arguments)),
    )


def show(options: argparse.Namespace) -> int:
    """Print the table of measured rows and draw their figure."""
    measured = [m for file in options.files for m in read_rows(file)]
    print(table(measured))
    if options.plot:
        plot_scaling(options.plot, measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
