#!/usr/bin/env bash
# A campaign: one configuration at several temperatures, several seeds each, as an array of jobs.
#
#   CONFIG=my.toml TEMPERATURES="0.05 0.07 0.1 0.2" SEEDS="1 2 3 4" \
#       sbatch --array=0-15 jobs/campaign.sh
#   ... sbatch --array=0-15%4 jobs/campaign.sh          # four at a time
#
# Task i runs temperature i / (number of seeds), seed i % (number of seeds), into
# RUNS/T<temperature>-seed<seed>.  Submitted again, it goes on where runs are incomplete.
#SBATCH --job-name=epmpi-campaign
#SBATCH --nodes=1
#SBATCH --ntasks=8
#SBATCH --cpus-per-task=1
#SBATCH --hint=nomultithread
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%A_%a.out
set -euo pipefail
jobs="${EPMPI_JOBS:-${SLURM_SUBMIT_DIR:-.}/jobs}"
# shellcheck source=jobs/site.sh
source "$jobs/site.sh"
# shellcheck source=jobs/run_or_resume.sh
source "$jobs/run_or_resume.sh"

: "${CONFIG:?set CONFIG to a configuration, for example CONFIG=examples/quickstart.toml}"
: "${SLURM_ARRAY_TASK_ID:?submit with sbatch --array=0-N}"
read -ra temperatures <<<"${TEMPERATURES:-0.05 0.07 0.1 0.2}"
read -ra seeds <<<"${SEEDS:-1 2 3 4}"
row=$((SLURM_ARRAY_TASK_ID / ${#seeds[@]}))
column=$((SLURM_ARRAY_TASK_ID % ${#seeds[@]}))
if ((row >= ${#temperatures[@]})); then
    last=$((${#temperatures[@]} * ${#seeds[@]} - 1))
    echo "task $SLURM_ARRAY_TASK_ID: there are ${#temperatures[@]} temperatures and ${#seeds[@]}" \
        "seeds, submit with --array=0-$last" >&2
    exit 2
fi
temperature="${temperatures[row]}"
seed="${seeds[column]}"

site_setup
run_or_resume "$CONFIG" "${RUNS:-runs/$(basename "$CONFIG" .toml)}/T$temperature-seed$seed" \
    --set "model.temperature=$temperature" --set "run.seed=$seed"
