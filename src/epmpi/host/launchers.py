"""The environment of a program that is started by a run, or beside one."""

from __future__ import annotations

import os

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
# Variables that a launcher sets for its ranks: an mpiexec that inherits them joins the outer run.
# Open MPI sets `OMPI_MCA_ess=singleton` and more in a process that it has not launched; then mpirun
# ends at once, without a message.
LAUNCHER_VARIABLES = (
    "HYDI_",
    "MPI_LOCAL",
    "MPIR_",
    "PMI_",
    "PMIX_",
    "OMPI_APP_CTX_NUM_PROCS",
    "OMPI_COMM_WORLD_",
    "OMPI_FILE_",
    "OMPI_FIRST_RANKS",
    "OMPI_MCA_ess",
    "OMPI_MCA_orte_ess_",
    "OMPI_MCA_orte_launch",
    "OMPI_MCA_orte_precondition_transports",
    "OMPI_MCA_pmix",
    "OMPI_NUM_APP_CTX",
    "OMPI_UNIVERSE_",
    "ORTE_SCHIZO_DETECTION",
    "PRTE_",
)


def environment(**changes: str) -> dict[str, str]:
    """Return the environment without the launcher's variables and with one thread a rank."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(LAUNCHER_VARIABLES)
    }
    return clean | dict.fromkeys(ONE_THREAD, "1") | changes
