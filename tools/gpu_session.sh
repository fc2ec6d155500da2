#!/usr/bin/env bash
# All that a machine with a GPU is wanted for, in ten minutes and one command:
#
#   make gpu-session                      # or: bash tools/gpu_session.sh [DIRECTORY] [PYTHON]
#
# Nothing is installed and no registry is asked. A bare machine needs Python 3.11 or newer, the driver, and
# these wheels with what they depend on, brought by `pip download --dest WHEELS ...` on another one (13: the
# driver is of CUDA 13; else 12) and installed by `pip install --no-index --find-links WHEELS ...`:
#
#   'numpy<2.5' scipy h5py mpi4py mpich rich matplotlib shtab pytest pytest-mpi pytest-xdist hypothesis
#   'cupy-cuda13x[ctk]' 'numba-cuda[cu13]' nvidia-nccl-cu13 nvidia-mathdx
#
# epmpi itself is taken from this source tree. What tells most comes first, the shortest parts before the
# longer ones; each line is in DIRECTORY (default: benchmarks/results/gpu-DATE-COMMIT) as it comes, so a
# session that is cut leaves what it had. summary.md there is the table for benchmarks/results/gpu.md.
# A part that fails, or takes longer than its share, is told and does not end the rest; the exit code is
# the number of those. All shares are 16 minutes together, for machines that compile slowly: after
# GPU_SESSION_SECONDS (default 570) nothing begins any more, and what still runs is ended.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
[ -z "$(git status --porcelain 2>/dev/null)" ] || commit="$commit-changed"
directory=${1:-benchmarks/results/gpu-$(date -u +%Y%m%d)-$commit}
python=${2:-python3}
limit=${GPU_SESSION_SECONDS:-570}
export PYTHONPATH="$PWD/src:$PWD/tests:$PWD/tools${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
mkdir -p "$directory"
failed=0

part() { # NAME SECONDS COMMAND ...: runs it within its share of what is left, keeps what it says
    local name=$1 share=$2 left=$((limit - SECONDS))
    shift 2
    if [ "$left" -lt 5 ]; then
        echo "== $name: no time left"
        failed=$((failed + 1))
        return
    fi
    [ "$share" -lt "$left" ] || share=$left
    echo "== $name (after $SECONDS s): $*"
    timeout --kill-after=5 "$share" "$@" 2>&1 | tee "$directory/$name.txt"
    local code=${PIPESTATUS[0]}
    if [ "$code" != 0 ]; then
        echo "   FAILED ($code)"
        failed=$((failed + 1))
    fi
    "$python" tools/gpu_table.py "$directory" >"$directory/summary.md"
}

roofline() { # NAME SECONDS OPTIONS ...
    local name=$1 share=$2
    shift 2
    part "$name" "$share" "$python" -m benchmarks.roofline --device gpu "$@"
}

{
    date -u '+date %Y-%m-%d %H:%M UTC'
    echo "commit $commit"
    nvidia-smi --query-gpu=name,uuid,memory.total,driver_version --format=csv,noheader 2>&1
    "$python" -m epmpi.cli info
    "$python" -m pip list 2>/dev/null | grep -i -E '^(cupy|numba|numpy|nvidia|cuda)'
} >"$directory/hardware.txt" 2>&1
cat "$directory/hardware.txt"
if ! "$python" -c 'from epmpi.devices import choose; print("on", choose("gpu").describe())'; then
    echo "no GPU, or none that kernels are compiled for: nothing is measured" >&2
    exit 1
fi

# Does a step run at all, and how fast: the bars.
roofline roofline-512 75 --sizes 512
roofline roofline-4096 75 --sizes 4096
roofline roofline-8192 90 --sizes 8192
roofline roofline-32768 150 --sizes 32768 --warmup 5 --steps 5 --rounds 2
# Is it right. What has been found is told when their own time is over, too.
part tests 150 "$python" tools/run_tests.py --timeout 140 --ranks 1 tests/devices/gpu/test_on_hardware.py
# Which sizes of strips and blocks.
roofline strips 60 --sizes 4096 8192 --warmup 10 --rounds 2 --strip-mib 8 16 32 64 128 512
roofline blocks 60 --sizes 4096 8192 --warmup 10 --rounds 2 --block-mib 8 16 32 64 128 512
# Columns in one kernel (nvidia-mathdx), in place of strips.
roofline fused 75 --sizes 4096 8192 --warmup 10 --rounds 2 --fused
# Two ranks on the card, single precision, memory.
mpiexec=$("$python" -c 'import launching; print(*launching.mpiexec())' 2>/dev/null || echo mpiexec)
# shellcheck disable=SC2086  # the launcher may have options
part ranks-2 60 $mpiexec -n 2 "$python" -m benchmarks.step --device gpu --warmup 20 --rounds 3 \
    --sizes 4096 --tracers 16 --csv "$directory/step.csv"
roofline roofline-single 45 --sizes 512 4096 8192 --precision single
part memory 60 "$python" -m benchmarks.memory --device gpu --size 8192
# shellcheck disable=SC2086
part tests-2 90 "$python" tools/run_tests.py --timeout 80 --ranks 2 tests/devices/gpu/test_on_hardware.py

cat "$directory/summary.md"
echo "$failed part(s) failed; all of it is in $directory"
exit "$failed"
