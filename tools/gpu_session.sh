#!/usr/bin/env bash
# All that a machine with a GPU is wanted for, in one command (about half an hour on one card):
#
#   make gpu-session                      # or: bash tools/gpu_session.sh [DIRECTORY] [PYTHON]
#
# Tests on hardware, the time of a step, the roofline with its profile, other blocks of rows, memory
# at L = 2^15. Everything lands in DIRECTORY (default: benchmarks/results/gpu-DATE-COMMIT), with the
# hardware and the commit in it; summary.md there is the table for benchmarks/results/gpu.md.
# A part that fails is told and does not end the rest; the exit code is the number of those.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
[ -z "$(git status --porcelain 2>/dev/null)" ] || commit="$commit-changed"
directory=${1:-benchmarks/results/gpu-$(date -u +%Y%m%d)-$commit}
python=${2:-.venv/bin/python}
sizes=${GPU_SESSION_SIZES:-512 4096 8192}
largest=${GPU_SESSION_LARGEST:-32768}
mkdir -p "$directory"
failed=0

part() { # NAME COMMAND ...: runs it, keeps what it says
    local name=$1
    shift
    echo "== $name: $*"
    if "$@" >"$directory/$name.txt" 2>&1; then
        echo "   done: $directory/$name.txt"
    else
        echo "   FAILED ($?): $directory/$name.txt"
        tail -n 3 "$directory/$name.txt" | sed 's/^/   /'
        failed=$((failed + 1))
    fi
}

{
    date -u '+date %Y-%m-%d %H:%M UTC'
    echo "commit $commit"
    nvidia-smi --query-gpu=name,uuid,memory.total,driver_version --format=csv,noheader 2>&1
    "$python" -m epmpi.cli info
    "$python" -m pip list 2>/dev/null | grep -i -E '^(cupy|numba|numpy|nvidia|cuda)'
} >"$directory/hardware.txt" 2>&1
cat "$directory/hardware.txt"
if ! "$python" -c 'import sys; from epmpi.devices import gpus; n, why = gpus(); print(why); sys.exit(not n)'; then
    echo "no GPU: nothing is measured" >&2
    exit 1
fi

part tests "$python" tools/run_tests.py --ranks 1,2,4 tests/devices/gpu/test_on_hardware.py
# shellcheck disable=SC2086  # sizes are several words
part roofline "$python" -m benchmarks.roofline --device gpu --sizes $sizes
# shellcheck disable=SC2086
part roofline-single "$python" -m benchmarks.roofline --device gpu --precision single --sizes $sizes
part blocks "$python" -m benchmarks.roofline --device gpu --sizes 4096 8192 \
    --block-mib 4 8 12 16 24 48 256
# shellcheck disable=SC2086
part step "$python" -m benchmarks.step --device gpu --warmup 200 --sizes $sizes \
    --csv "$directory/step.csv"
part memory "$python" -m benchmarks.memory --device gpu --size "$largest"
if command -v nsys >/dev/null; then
    part nsys nsys profile --trace=cuda --cuda-graph-trace=node --force-overwrite=true \
        --output="$directory/step" "$python" -m benchmarks.roofline --device gpu --sizes 4096 \
        --rounds 1
    part nsys-kernels nsys stats --report cuda_gpu_kern_sum "$directory/step.nsys-rep"
fi

"$python" tools/gpu_table.py "$directory" | tee "$directory/summary.md"
echo "$failed part(s) failed; all of it is in $directory"
exit "$failed"
