# shellcheck shell=bash
# Runs the study of tools/scaling.py on 1, 2, 4, ... ranks, within one allocation.
# Small cases leave most of the allocation idle: for more than a few nodes, let `python
# tools/scaling.py jobs` write one job for each number of ranks.
# On cores: the site's setup for GPUs is not called.

# Usage: scaling_study NAME OPTION SIZE...      OPTION: --sizes or --weak of tools/scaling.py
# RESULTS (runs/scaling) receives rows, table and figure; OPTIONS go to the benchmark.
scaling_study() {
    local name=$1 option=$2 results count ranks=()
    shift 2
    for ((count = 1; count <= SLURM_NTASKS; count *= 2)); do
        ranks+=("$count")
    done
    results="${RESULTS:-runs/scaling}/$name-$SLURM_JOB_ID"
    # shellcheck disable=SC2154 # jobs: the script that sources this
    python "$jobs/../tools/scaling.py" run --launcher "$(site_launcher)" \
        --ranks "${ranks[@]}" --ranks-per-node "$((SLURM_NTASKS / SLURM_NNODES))" \
        "$option" "$@" --options "${OPTIONS:-}" --csv "$results.csv" --plot "$results.png"
}
