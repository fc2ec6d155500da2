"""The MPI library that was found: its name, what it takes, whether its launcher started us."""

from __future__ import annotations

import ctypes
import os

from mpi4py import MPI

from epmpi.parallel.communicator import Communicator

# What launchers tell their processes: (variable, launcher).
_LAUNCHERS = (
    ("OMPI_COMM_WORLD_SIZE", "Open MPI's mpirun"),
    ("PMI_SIZE", "MPICH's mpiexec"),
    ("SLURM_STEP_NUM_TASKS", "srun"),
)

_MPICH_CUDA = 0  # MPICH's MPIX_GPU_SUPPORT_CUDA


def library() -> str:
    """Return the name and version of the MPI library, on one line."""
    return " ".join(MPI.Get_library_version().replace("\x00", "").split("\n")[0].split())


def cuda_aware() -> bool:
    """Tell whether the MPI library says that it takes arrays of a GPU.

    Asked by the functions that Open MPI and MPICH have for it; one that has neither is taken not to
    be: an exchange that is only tried may end the run.
    """
    for path in _loaded_libraries("libmpi"):
        try:
            loaded = ctypes.CDLL(path)
        except OSError:
            continue
        if hasattr(loaded, "MPIX_Query_cuda_support"):
            return bool(loaded.MPIX_Query_cuda_support() == 1)
        if hasattr(loaded, "MPIX_GPU_query_support"):
            supported = ctypes.c_int(0)
            failed = loaded.MPIX_GPU_query_support(_MPICH_CUDA, ctypes.byref(supported))
            return not failed and supported.value == 1
    return False


def _loaded_libraries(name: str) -> list[str]:
    """Return the files of the shared libraries of this process whose names begin so."""
    try:
        with open("/proc/self/maps") as maps:
            files = {line.split()[-1] for line in maps}
    except OSError:
        return []
    return sorted(file for file in files if os.path.basename(file).startswith(name))


def foreign_launcher(communicator: Communicator) -> str | None:
    """Tell that a launcher of another MPI started this process as a run of its own.

    Returns
    -------
    str or None
        A sentence to print, where the launcher's environment names more ranks than MPI found.
    """
    for variable, launcher in _LAUNCHERS:
        count = os.environ.get(variable, "")
        if count.isdigit() and int(count) > 1 and communicator.size == 1:
            return (
                f"{launcher} started {count} processes ({variable}={count}) but mpi4py, built for "
                f"'{library()}', sees 1 rank: use the mpiexec of that MPI, or install mpi4py for "
                "the one that you launch with"
            )
    return None
