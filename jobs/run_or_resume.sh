# shellcheck shell=bash
# Runs a configuration over as many jobs as it needs: starts it, or goes on from its checkpoint, and
# puts the job back into the queue where it stopped before its end.  For scripts submitted with
#   #SBATCH --signal=B:USR1@300
#   #SBATCH --requeue
# SLURM then sends SIGUSR1 to the script 300 seconds before the limit; epmpi gets it from here,
# writes a checkpoint and stops.  These 300 s must be longer than the output of one checkpoint.

STOPPED=75 # exit code of epmpi: not complete, but with a checkpoint
MOST_RESTARTS="${MOST_RESTARTS:-100}" # so that a job that gets nowhere does not run for ever

# Usage: run_or_resume CONFIG RUN [OPTIONS of epmpi run]
# SETTINGS in the environment adds --set options: SETTINGS="time.duration=1e4 run.seed=2".
run_or_resume() {
    local configuration=$1 run=$2 setting step status
    shift 2
    local work=(epmpi run "$configuration" -o "$run" "$@")
    for setting in ${SETTINGS:-}; do
        work+=(--set "$setting")
    done
    # The resumed run takes its configuration from the checkpoint.
    [[ ! -e $run/checkpoint.h5 && ! -e $run/ensemble.toml ]] || work=(epmpi resume "$run")

    # shellcheck disable=SC2154 # site_srun: jobs/site.sh
    # It must not read what the script reads, for instance a list of runs.
    "${site_srun[@]}" "${work[@]}" </dev/null &
    step=$!
    trap 'kill -USR1 "$step" || true' USR1
    # The signal ends `wait` early: wait again until the step itself has ended.
    while true; do
        status=0
        wait "$step" || status=$?
        kill -0 "$step" 2>/dev/null || break
    done
    trap - USR1

    if ((status != STOPPED)); then
        return "$status"
    fi
    if ((${SLURM_RESTART_COUNT:-0} >= MOST_RESTARTS)); then
        echo "$run: not complete after $MOST_RESTARTS restarts, not requeued" >&2
        return "$STOPPED"
    fi
    echo "$run: not complete, job $SLURM_JOB_ID goes back into the queue"
    scontrol requeue "$SLURM_JOB_ID"
}
