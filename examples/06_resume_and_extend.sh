#!/bin/sh
# Stop a run at a time limit, resume it from its checkpoint, then make it longer.
#
# Physics: none is lost: a resumed run continues bit by bit, on any number of ranks.  Exit code 75 says
# "stopped with a checkpoint"; time.duration is one of the few keys that a resumed run may change.
#
# Run time: about 30 s of one core.
#     sh examples/06_resume_and_extend.sh [LIMIT [DURATION [LONGER [section.key=value ...]]]]
# Each `epmpi` may stand under its own `mpiexec -n P`, with another P each time.
limit=${1:-10} duration=${2:-200.0} longer=${3:-300.0}
if [ $# -ge 3 ]; then shift 3; else shift $#; fi
settings="--set run.walltime=$limit --set time.duration=$duration"
for change in "$@"; do settings="$settings --set $change"; done
run=runs/06_resume_and_extend

# shellcheck disable=SC2086  # a list of options without blanks in them
epmpi run examples/quickstart.toml -o "$run" $settings
code=$?
if [ "$code" = 75 ]; then    # the limit was reached; in a queue the next job would go on here
    epmpi resume "$run" --set run.walltime=0 || exit
elif [ "$code" != 0 ]; then
    exit "$code"
fi
epmpi resume "$run" --set "time.duration=$longer" --set run.walltime=0 && epmpi analyse "$run"
