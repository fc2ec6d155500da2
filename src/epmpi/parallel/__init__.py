"""The ranks of a run and their communication; the only room that imports mpi4py.

The communicator is passed explicitly; only entry points use that of all ranks.
"""

from epmpi.parallel.communicator import Communicator, abort_on_exception, is_of_mpi
from epmpi.parallel.mpi_library import cuda_aware, foreign_launcher, launched, library, load, wires
from epmpi.parallel.rolling_gather import RollingGather

__all__ = [
    "Communicator",
    "RollingGather",
    "abort_on_exception",
    "cuda_aware",
    "foreign_launcher",
    "is_of_mpi",
    "launched",
    "library",
    "load",
    "wires",
]
