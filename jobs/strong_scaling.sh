#!/usr/bin/env bash
# Strong scaling: lattices of fixed size on 1, 2, 4, ... ranks, within one allocation.
#
#   SIZES="4096 8192" sbatch --nodes=4 --ntasks-per-node=64 jobs/strong_scaling.sh
#
# Rows, table and figure go to RESULTS (runs/scaling).  Small cases leave most of the allocation
# idle: for more than a few nodes, let `python tools/scaling.py jobs` write one job for each number
# of ranks.
# For CPUs: GPUs come with a later version of epmpi and of its benchmark.
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

site_setup
read -ra sizes <<<"${SIZES:-2048 4096 8192}"
ranks=()
for ((count = 1; count <= SLURM_NTASKS; count *= 2)); do
    ranks+=("$count")
done
results="${RESULTS:-runs/scaling}/strong-$SLURM_JOB_ID"
python "$jobs/../tools/scaling.py" run --launcher "$(site_launcher)" \
    --ranks "${ranks[@]}" --ranks-per-node "$((SLURM_NTASKS / SLURM_NNODES))" \
    --sizes "${sizes[@]}" --options "${OPTIONS:-}" --csv "$results.csv" --plot "$results.png"
