"""The MPI library: loading on demand, capabilities, and the launcher of this process."""

from __future__ import annotations

import ctypes
import os
import re
from functools import cache
from typing import Any, NamedTuple

from epmpi.host.signals import keeping_handlers
from epmpi.parallel import mpich

REMEDY = "on a cluster load the site's MPI module; elsewhere pip install mpich"

# Environment variables of launchers: (number of processes, number of this one, launcher).
_LAUNCHERS = (
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "Open MPI's mpirun"),
    ("PMI_SIZE", "PMI_RANK", "MPICH's mpiexec"),
    ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "srun"),
)

WIRES = (  # variables that choose the transport of MPI libraries
    "MPIR_CVAR_CH4_NETMOD", "UCX_TLS", "UCX_NET_DEVICES", "FI_PROVIDER", "FI_TCP_IFACE",
    "OMPI_MCA_pml", "OMPI_MCA_mtl", "OMPI_MCA_btl",
)  # fmt: skip
_MPICH_CUDA = 0  # MPICH's MPIX_GPU_SUPPORT_CUDA


class Launch(NamedTuple):
    """The launch of this process, from the launcher's environment, without MPI."""

    launcher: str = ""
    variable: str = ""
    size: int = 1
    rank: int = 0


def launched() -> Launch:
    """Return the launch of this process; one of one where no launcher is known."""
    for variable, number, launcher in _LAUNCHERS:
        size, rank = (os.environ.get(name, "") for name in (variable, number))
        if size.isdigit() and int(size) > 1:
            return Launch(launcher, variable, int(size), int(rank) if rank.isdigit() else 0)
    return Launch()


@cache
def load() -> tuple[Any, str]:
    """Return mpi4py's MPI, initialised, and an empty text; or None, and the reason.

    It is loaded at the first call, so that commands on one rank work without it, and start faster.
    The handlers of signals are restored afterwards.
    """
    with keeping_handlers():  # UCX takes SIGHUP as soon as it is loaded
        return _loaded()


def _loaded() -> tuple[Any, str]:
    try:
        import mpi4py

        if mpi4py.rc.initialize:  # unless the user has set another way
            mpi4py.rc.initialize, mpi4py.rc.finalize = False, True
        mpich.leave_memory_of_others_alone()
        from mpi4py import MPI
    except (ImportError, OSError, RuntimeError) as error:
        return None, f"no MPI library is found ({_first_line(error)}): {REMEDY}"
    if not MPI.Is_initialized():
        if why := _unspoken(MPI.Get_library_version()) or _no_room(MPI.Get_library_version()):
            return None, why
        MPI.Init_thread()
    return MPI, ""


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(":")


def _unspoken(version: str) -> str:
    """Return why MPICH would abort this process at once, or nothing.

    Unless built for it, it does not support PMIx, by which Open MPI's mpirun and often srun start
    processes.
    """
    if "PMIX_NAMESPACE" not in os.environ or "MPICH" not in version or "pmix" in version.lower():
        return ""
    name = _one_line(version)
    return (
        f"'{name}' does not support PMIx, by which this process was started: use the mpiexec of "
        "that MPI or srun --mpi=pmi2, or install mpi4py for the MPI that you launch with"
    )


def _no_room(version: str) -> str:
    """Return why MPICH would be killed on this node, or nothing."""
    if "MPICH" not in version:
        return ""
    size, local = launched().size, os.environ.get("MPI_LOCALNRANKS", "")
    why = mpich.no_room(int(local) if local.isdigit() else min(size, 2))
    return why and f"{why}: {mpich.REMEDY}{', or use 1 rank' if size > 1 else ''}"


def _one_line(version: str) -> str:
    return " ".join(version.replace("\x00", "").split("\n")[0].split())


def library() -> str:
    """Return the name and version of the MPI library, or that there is none, on one line."""
    mpi, _ = load()
    return "none" if mpi is None else _one_line(mpi.Get_library_version())


def wires() -> list[str]:
    """Return the transport of messages between hosts, as far as the library says.

    That is its device, where it names one (MPICH), and the variables that choose one.
    """
    mpi, _ = load()
    text = "" if mpi is None else mpi.Get_library_version()
    devices = re.findall(r"^MPICH Device:\s*(.*?)\s*$", text, re.MULTILINE)
    chosen = [f"{name}={os.environ[name]}" for name in WIRES if os.environ.get(name)]
    return [*devices, *chosen] or ["what the library chooses"]


def cuda_aware() -> bool:
    """Tell whether the MPI library accepts arrays of a GPU, according to itself.

    It is asked by the functions of Open MPI and MPICH; a library with neither counts as unable,
    because an attempt could end the run.
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
    """Return the files of the shared libraries of this process whose names begin with `name`."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            files = {line.split()[-1] for line in maps}
    except OSError:
        return []
    return sorted(file for file in files if os.path.basename(file).startswith(name))


def foreign_launcher(size: int) -> str | None:
    """Return an error if a launcher started several processes, and MPI sees only one rank.

    Parameters
    ----------
    size : int
        The number of ranks that MPI found; 1 where there is no library.

    Returns
    -------
    str or None
        The error message.
    """
    launch, (mpi, why) = launched(), load()
    if launch.size == 1 or size > 1:
        return None
    named = f"{launch.variable}={launch.size}"
    if mpi is None:
        return f"{launch.launcher} started {launch.size} processes ({named}) but {why}"
    return (
        f"{launch.launcher} started {launch.size} processes ({named}) but mpi4py, built for "
        f"'{library()}', sees 1 rank: use the mpiexec of that MPI, or install mpi4py for the one "
        "that you launch with"
    )
