#!/usr/bin/env bash
# Weak scaling: the lattice grows with 1, 2, 4, ... ranks so that each keeps its number of sites.
#
#   SIZES="1024 2048" sbatch --nodes=4 --ntasks-per-node=64 jobs/weak_scaling.sh
#
# SIZES are those on one rank.  Rows, table and figure go to RESULTS (runs/scaling).  Small cases
# leave most of the allocation idle: for more than a few nodes, let `python tools/scaling.py jobs`
# write one job for each number of ranks.
# For CPUs: GPUs come with a later version of epmpi and of its benchmark.
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

site_setup
read -ra sizes <<<"${SIZES:-1024 2048}"
ranks=()
for ((count = 1; count <= SLURM_NTASKS; count *= 2)); do
    ranks+=("$count")
done
results="${RESULTS:-runs/scaling}/weak-$SLURM_JOB_ID"
python "$jobs/../tools/scaling.py" run --launcher "$(site_launcher)" \
    --ranks "${ranks[@]}" --ranks-per-node "$((SLURM_NTASKS / SLURM_NNODES))" \
    --weak "${sizes[@]}" --options "${OPTIONS:-}" --csv "$results.csv" --plot "$results.png"
