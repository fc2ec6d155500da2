"""What a step should take on a machine: work, processors, networks, and what was measured."""

import mpi4py

# These tools start MPI runs and read their results; they take no part in one.
mpi4py.rc.initialize = False
