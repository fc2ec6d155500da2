#!/usr/bin/env bash
# CPU nodes, one rank a core; resumed from job to job until the run is complete.
#
#   CONFIG=my.toml sbatch jobs/cpu_nodes.sh
#   CONFIG=my.toml RUN=runs/mine sbatch --nodes=1 --ntasks-per-node=32 jobs/cpu_nodes.sh
#
# At most L / 2 ranks for an L x L lattice; tools/predict.py says how many pay.
#SBATCH --job-name=epmpi
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=64
#SBATCH --cpus-per-task=1
#SBATCH --hint=nomultithread
#SBATCH --exclusive
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.out
set -euo pipefail
jobs="${EPMPI_JOBS:-${SLURM_SUBMIT_DIR:-.}/jobs}"
# shellcheck source=jobs/site.sh
source "$jobs/site.sh"
# shellcheck source=jobs/run_or_resume.sh
source "$jobs/run_or_resume.sh"

: "${CONFIG:?set CONFIG to a configuration, for example CONFIG=examples/quickstart.toml}"
site_setup
run_or_resume "$CONFIG" "${RUN:-runs/$(basename "$CONFIG" .toml)}" --set run.device=cpu
