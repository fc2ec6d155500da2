#!/usr/bin/env bash
# Weak scaling: the lattice grows with 1, 2, 4, ... ranks so that each keeps its number of sites.
#
#   SIZES="1024 2048" sbatch --nodes=4 --ntasks-per-node=64 jobs/weak_scaling.sh
#
# SIZES are those on one rank.  Rows, table and figure go to RESULTS (runs/scaling); see
# jobs/scaling_study.sh.
#SBATCH --job-name=epmpi-weak
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
read -ra sizes <<<"${SIZES:-1024 2048}"
scaling_study weak --weak "${sizes[@]}"
