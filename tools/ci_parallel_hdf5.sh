#!/usr/bin/env bash
# A second environment on Debian, DIRECTORY (default .venv-parallel): Open MPI of the system and an
# h5py built for it and for its parallel HDF5; then the tests of the output and of restarts in it,
# where nothing that needs an h5py built for MPI, or VTK, may be left out.
# usage: tools/ci_parallel_hdf5.sh [DIRECTORY]
# The last line is `N passed, N failed`; any failure gives exit code 1.
set -uo pipefail
cd "$(dirname "$0")/.."
venv=${1:-.venv-parallel}
unset PYTHONPATH EPMPI_FAILED_CHECKS
export EPMPI_CI=1 EPMPI_PARALLEL_HDF5=1 DEBIAN_FRONTEND=noninteractive
export PIP_DISABLE_PIP_VERSION_CHECK=1
pip="$venv/bin/python -m pip --quiet"

give_up() {
    echo "error: $1"
    echo "0 passed, 1 failed"
    exit 1
}

packages=(libopenmpi-dev openmpi-bin libhdf5-openmpi-dev gcc libc6-dev pkg-config)
if ! dpkg-query --show --showformat='${db:Status-Status}\n' "${packages[@]}" 2>&1 \
    | awk '$0 != "installed" { missing = 1 } END { exit missing }'; then
    apt-get update -qq >/dev/null || give_up "apt-get update failed"
    apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null \
        || give_up "apt-get install ${packages[*]} failed"
fi

if ! "$venv/bin/python" -c 'import sys, h5py; sys.exit(not h5py.get_config().mpi)' 2>/dev/null; then
    sh tools/make_venv.sh "$venv" || give_up "$venv cannot be made"
    # h5py's own build would take an old mpi4py; without isolation it takes the one that is here.
    $pip install mpi4py numpy 'Cython>=3,<4' packaging 'pkgconfig>=1.5.5' 'setuptools>=77.0.1' wheel \
        || give_up "the tools to build h5py with do not install"
    HDF5_MPI=ON CC=mpicc.openmpi HDF5_PKGCONFIG_NAME=hdf5-openmpi H5PY_SETUP_REQUIRES=0 \
        CFLAGS="-O1 -g0" $pip install --no-build-isolation --no-deps --no-binary=h5py h5py \
        || give_up "h5py for MPI does not build"
fi
$pip install --prefer-binary --editable '.[test]' vtk || give_up "epmpi does not install into $venv"

# More ranks than cores, as root, one thread a rank; messages by shared memory or TCP alone.
export MPIEXEC="mpirun.openmpi --oversubscribe --allow-run-as-root"
export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1
# What starts runs of its own has been tried with the plain h5py, but for a start under this launcher.
"$venv/bin/python" tools/run_tests.py --ranks 1,3 tests/output tests/tools/test_launching.py \
    --deselect tests/output/test_leftovers.py --deselect tests/output/test_lock.py
