"""Choice of the writer of a run: both write the same file."""

from __future__ import annotations

from epmpi.config import ConfigError, Configuration
from epmpi.output import collective
from epmpi.output.collective import CollectiveWriter
from epmpi.output.lock import RunLock
from epmpi.output.streaming import StreamingWriter
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Slab


def make_writer(
    configuration: Configuration,
    communicator: Communicator,
    slab: Slab,
    lock: RunLock | None = None,
) -> StreamingWriter:
    """Return the writer that `output.writer` names.

    Where it is "auto": the parallel one if h5py has been built for MPI and there are several ranks.

    Raises
    ------
    ConfigError
        On all ranks, if the parallel one is requested but not available.
    """
    output = configuration.output
    there = collective.available()
    if output.writer == "parallel" and not there:
        raise ConfigError(
            'output.writer = "parallel": this h5py was not built for MPI; set output.writer = '
            '"auto", or install an h5py that was'
        )
    together = output.writer == "parallel" or (
        output.writer == "auto" and there and communicator.size > 1
    )
    kind = CollectiveWriter if together else StreamingWriter
    return kind(communicator, slab, output.compression, lock)
