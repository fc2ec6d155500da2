"""The ranks of a run and what they say to each other.  The only place that knows mpi4py.

The communicator is passed explicitly; only entry points name the world.
"""

from epmpi.parallel.communicator import Communicator, abort_on_exception, is_of_mpi
from epmpi.parallel.mpi_library import cuda_aware, foreign_launcher, launched, library, load
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
]
