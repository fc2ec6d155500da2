#!/usr/bin/env bash
# One node with several GPUs, one rank a GPU; resumed from job to job until the run is complete.
#
#   CONFIG=my.toml sbatch jobs/gpu_node.sh
#   CONFIG=my.toml RUN=runs/mine sbatch --ntasks-per-node=8 --gpus-per-node=8 jobs/gpu_node.sh
#
# Needs the extra cuda12 or cuda13.  Not run on hardware yet: see benchmarks/results/gpu.md.
# DEVICE=cpu runs it on the cores of such a node.
#SBATCH --job-name=epmpi
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=4
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=4
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
site_setup_gpus
run_or_resume "$CONFIG" "${RUN:-runs/$(basename "$CONFIG" .toml)}" --set "run.device=${DEVICE:-gpu}"
