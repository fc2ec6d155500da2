#!/usr/bin/env bash
# The real CuPy and numba-cuda on a card that executes nothing (tests/stand_in_card), in an environment
# of its own, DIRECTORY (default .venv-gpu; 2.5 GB): what models ask of a card, and what that takes the
# host, on 1 to 3 ranks. Needs gcc and g++, no GPU.
# usage: tools/ci_gpu.sh [DIRECTORY]
# The last line is `N passed, N failed`; any failure gives exit code 1.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
venv=${1:-.venv-gpu}
unset PYTHONPATH EPMPI_FAILED_CHECKS
export EPMPI_CI=1 PIP_DISABLE_PIP_VERSION_CHECK=1

give_up() {
    echo "error: $1"
    echo "0 passed, 1 failed"
    exit 1
}

sh tools/make_venv.sh "$venv" || give_up "$venv cannot be made"
# Headers of CUDA come with CuPy's wheels, but for those of the compiler and of cuFFTDx.
"$venv/bin/python" -m pip install --quiet --prefer-binary --editable '.[mpi,cuda13]' nvidia-cuda-crt nvidia-mathdx \
    pytest pytest-mpi pytest-xdist hypothesis || give_up "epmpi does not install into $venv"

MPIEXEC="$PWD/$venv/bin/mpiexec"
export MPIEXEC
for ranks in 1 2; do
    PYTHONPATH=tests "$MPIEXEC" -n "$ranks" "$venv/bin/python" -m stand_in_card.table
done
# What is not marked mpi runs on one rank alone.
"$venv/bin/python" tools/run_tests.py --ranks 1,2,3 tests/devices/gpu/counted_model.py \
    tests/devices/gpu/counted_launches.py tests/devices/gpu/counted_benchmarks.py \
    tests/devices/gpu/counted_compiling.py \
    tests/devices/gpu/counted_commands.py tests/devices/gpu/counted_fused_columns.py \
    tests/devices/gpu/counted_values.py
