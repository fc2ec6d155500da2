#!/bin/sh
# Stop a run at a time limit, resume it from its checkpoint, then make it longer.
#
# Physics: none is lost: a resumed run continues bit by bit, on any number of ranks.  Exit code 75 says
# "stopped with a checkpoint"; time.duration is one of the few keys that a resumed run may change.
#
# Run time: about 25 s of one core: 5 s, as often as it takes, then the extension.
#     sh examples/06_resume_and_extend.sh [LIMIT [DURATION [LONGER [section.key=value ...]]]]
# Each `epmpi` may stand under its own `mpiexec -n P`, with another P each time.
set -u
limit=${1:-5} duration=${2:-300.0} longer=${3:-400.0}
if [ $# -ge 3 ]; then shift 3; else shift $#; fi
settings="--set time.duration=$duration --set run.walltime=$limit"
for change in "$@"; do settings="$settings --set $change"; done
run=runs/06_resume_and_extend

# shellcheck disable=SC2086  # a list of options without blanks in them
epmpi run examples/quickstart.toml -o "$run" $settings
code=$?
while [ "$code" = 75 ]; do    # as often as the time limit needs
    epmpi resume "$run"
    code=$?
done
[ "$code" = 0 ] || exit "$code"
epmpi resume "$run" --set "time.duration=$longer" --set run.walltime=0
