# shellcheck shell=bash
# The settings of your site, for all scripts in this folder: the only file that you have to edit.
#
# Every SITE_ variable can also be set in the environment when a job is submitted; what stands here
# is the default.  Ask your centre's documentation for the values; what they mean:

# Modules to load, in this order, separated by blanks.  With the wheels alone (pip install
# '.[mpi]') none are needed; on a cluster take the site's MPI, and for output by all ranks at
# once an HDF5 built for that MPI.  Example: "gcc/13 openmpi/5.0 hdf5/1.14-mpi cuda/12.6".
SITE_MODULES="${SITE_MODULES:-}"

# Python environment (venv) in which epmpi is installed; empty where a module brings it.
SITE_VENV="${SITE_VENV-.venv}"

# How srun starts the ranks (srun --mpi=list shows what there is): pmix for Open MPI, pmi2 or
# cray_shasta for MPICH and its relatives.  Empty: what the site has made the default.  The sign of
# a wrong value is a run on 1 rank, P times over; epmpi refuses it and says so.
SITE_MPI="${SITE_MPI:-}"

# Binding: a rank is one thread and stays on its core.
SITE_BINDING="${SITE_BINDING---cpu-bind=cores}"

# More options of srun, separated by blanks, for example "--distribution=block:block".
SITE_SRUN_OPTIONS="${SITE_SRUN_OPTIONS:-}"

# Where Numba keeps compiled loops: a place that all nodes see, or one local to the nodes.
export NUMBA_CACHE_DIR="${NUMBA_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/epmpi}"

# Load modules and environment; one thread a rank, since the ranks are the parallelism.
site_setup() {
    local name
    for name in $SITE_MODULES; do
        module load "$name"
    done
    if [[ -n $SITE_VENV ]]; then
        # shellcheck source=/dev/null
        source "$SITE_VENV/bin/activate"
    fi
    export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMBA_NUM_THREADS=1
    # From SLURM 22.05 on, srun does not take this over from the job.
    export SRUN_CPUS_PER_TASK="${SLURM_CPUS_PER_TASK:-1}"
}

# Settings for GPUs, on top.  Every rank sees all GPUs of its node and takes the one of its rank
# there: NVLink works between GPUs that see each other, so no --gpus-per-task and no --gpu-bind.
site_setup_gpus() {
    # UCX (under Open MPI): which transports it may take.  Unset, it chooses; this is what it needs
    # between GPUs with InfiniBand.
    #export UCX_TLS=rc,sm,self,cuda_copy,cuda_ipc,gdr_copy
    # Cray MPICH: device buffers in MPI calls.
    #export MPICH_GPU_SUPPORT_ENABLED=1
    # NCCL: the InfiniBand cards to use, and the interface of its first handshake.
    #export NCCL_IB_HCA=mlx5
    #export NCCL_SOCKET_IFNAME=ib0
    export NCCL_DEBUG="${NCCL_DEBUG:-WARN}"
}

# The command before the program, as an array: site_srun; more options may be appended to it.
site_srun=(srun)
[[ -z $SITE_MPI ]] || site_srun+=("--mpi=$SITE_MPI")
[[ -z $SITE_BINDING ]] || site_srun+=("$SITE_BINDING")
for site_option in $SITE_SRUN_OPTIONS; do
    site_srun+=("$site_option")
done

# The same as a template for tools/scaling.py.
site_launcher() {
    echo "${site_srun[*]} --nodes={nodes} --ntasks={ranks}"
}
