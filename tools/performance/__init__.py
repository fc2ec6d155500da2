"""Predicted time of a step on a machine: work, processors, networks, and measurements."""

import mpi4py

# These tools start MPI runs and read their results; they take no part in one.
mpi4py.rc.initialize = False
