#!/usr/bin/env bash
# Strong scaling: lattices of fixed size on 1, 2, 4, ... ranks, within one allocation.
#
#   SIZES="4096 8192" sbatch --nodes=4 --ntasks-per-node=64 jobs/strong_scaling.sh
#
# Rows, table and figure go to RESULTS (runs/scaling); see jobs/scaling_study.sh.
#SBATCH --job-name=epmpi-strong
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=64
#SBATCH --cpus-per-task=1
#SBATCH --hint=nomultithread
#SBATCH --exclusive
#SBATCH --time=02:00:00
#SBATCH --output=%x-%j.out
set -euo pipefail
jobs="${EPMPI_JOBS:-${SLURM_SUBMIT_DIR:-.}/jobs}"
# shellcheck source=jobs/site.sh
source "$jobs/site.sh"
# shellcheck source=jobs/scaling_study.sh
source "$jobs/scaling_study.sh"

site_setup
read -ra sizes <<<"${SIZES:-2048 4096 8192}"
scaling_study strong --sizes "${sizes[@]}"
